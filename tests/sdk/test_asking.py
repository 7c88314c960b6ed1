"""Questions put to real nodes over real sockets: what is proven, what is a gap, and what an index can leave out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tallystick.audit.covered import covered
from tallystick.audit.entry import On
from tallystick.audit.inquiry import Cited, Find, Inquiry, answers_to
from tallystick.audit.pass_ import BrokenReference
from tallystick.audit.words import Words
from tallystick.core.errors import NotFound, Overloaded
from tallystick.core.moments import moment_json
from tallystick.sdk.asking import ask
from tallystick.sdk.auditing import Audited, survey
from tallystick.sdk.clock import now_us
from tallystick.sdk.ledgers import Ledgers
from tallystick_proto.v1.ledger_pb2 import Bundle, CheckpointAnswer
from tallystick_proto.v1.statement_pb2 import AccessRequested, DataUsed, Ref
from tests.harness.lying_district import LyingDistrict

MARKET, TAX, PLANNING = "market", "tax", "planning"
BUREAUS = (MARKET, TAX, PLANNING)
CODE, VERSION = "SCJG-0012", "SCJG-0012@1"
Lie = Callable[[Any], Any]


@pytest.fixture
def district(tmp_path: Path) -> Iterator[LyingDistrict]:
    """A request of the tax office, the market's grant, and three uses; each ledger has three entries before them."""
    with LyingDistrict(tmp_path, *BUREAUS) as made:
        request = made.say(TAX, "request", resource=CODE, provider=MARKET, purpose="tax-registration")
        made.say(MARKET, "grant", request=request, to=TAX, resource=CODE)
        for _ in range(3):
            made.say(TAX, "use", version=VERSION, purpose="tax-registration")
        yield made
        for bureau in BUREAUS:
            made.node(bureau).lies.clear()


@pytest.fixture
def ledgers(district: LyingDistrict) -> Iterator[Ledgers]:
    """What an auditor reads them by; it trusts nothing yet."""
    with Ledgers.open(district.profile) as opened:
        yield opened


@pytest.mark.parametrize("full", [False, True], ids=["indexes", "full-pass"])
def test_ledgers_are_asked_side_by_side(district: LyingDistrict, ledgers: Ledgers, full: bool) -> None:
    """No node is asked only after another has answered: here each first answers once all are asked."""
    all_are_asked = asyncio.Barrier(len(BUREAUS))

    def once_all_are_asked(bureau: str) -> Lie:
        async def wait() -> None:
            district.node(bureau).lies.clear()
            await all_are_asked.wait()

        return lambda answer: wait()

    for bureau in BUREAUS:
        district.node(bureau).lies["GetCheckpoint"] = once_all_are_asked(bureau)
    found = survey(ledgers, today()) if full else ask(ledgers, today(), inquire())
    assert not any(each.gap for each in found.coverage.ledgers)


def today() -> date:
    moment = moment_json(now_us())
    assert moment is not None
    return date.fromisoformat(moment[:10])


def inquire() -> Inquiry:
    """Requests for the resource and what answers them, on any ledger; then who used it."""
    for request in (yield Find.of(AccessRequested, resource=CODE)):
        yield answers_to(request)
    yield Find.of(DataUsed, resource=CODE)


def asked(ledgers: Ledgers, inquiry: Inquiry | None = None, days: int = 1) -> tuple[list[str], Audited]:
    """The entries that were folded, in causal order, and the rest of the answer; as of tomorrow, or another day."""
    shown: list[object] = []
    audited = ask(ledgers, today() + timedelta(days=days), inquiry or inquire(), watching=shown.append)
    return [each.reference for each in shown if isinstance(each, On)], audited


def gaps(audited: Audited) -> dict[str, int]:
    """What each ledger that is not covered means to a program, by bureau."""
    return {ledger.bureau: ledger.exit_code for ledger in audited.coverage.ledgers if ledger.gap}


ALL = ["tax#3", "market#3", "tax#4", "tax#5", "tax#6"]


def test_what_is_answered_is_folded_in_causal_order(ledgers: Ledgers) -> None:
    """The views hold it as after a full pass; the coverage says how far each ledger reached and how much was read."""
    shown, audited = asked(ledgers)
    assert sorted(shown) == sorted(ALL)
    assert shown.index("tax#3") < shown.index("market#3")
    (grant,) = audited.seen.grants.grants.values()
    assert grant.request is not None
    coverage = audited.coverage
    assert not coverage.full
    assert [(ledger.size, ledger.checked) for ledger in coverage.ledgers] == [(4, 1), (7, 4), (3, 0)]
    assert (gaps(audited), coverage.exit_code, audited.findings) == ({}, 0, [])


def test_every_ledger_is_asked_under_one_checkpoint(district: LyingDistrict, ledgers: Ledgers) -> None:
    """Shown once at the beginning; what is recorded while the question is asked is not part of the answer."""

    def meanwhile() -> Inquiry:
        assert district.say(TAX, "use", version=VERSION, purpose="tax-registration").index == 7
        yield from inquire()

    shown, audited = asked(ledgers, meanwhile())
    assert sorted(shown) == sorted(ALL)
    assert [ledger.size for ledger in audited.coverage.ledgers] == [4, 7, 3]
    assert [district.node(bureau).calls.count("GetCheckpoint") for bureau in BUREAUS] == [1, 1, 1]
    assert "tax#7" in asked(ledgers)[0]


def test_what_was_recorded_after_the_day_is_not_followed(ledgers: Ledgers) -> None:
    """Neither folded nor asked about."""
    shown, audited = asked(ledgers, days=-1)
    assert (shown, audited.coverage.entries) == ([], 0)


def test_the_last_is_asked_for_alone_and_since_a_moment(district: LyingDistrict, ledgers: Ledgers) -> None:
    """Of each ledger the newest, or what is no older."""
    uses = Find.of(DataUsed, version=VERSION)
    assert asked(ledgers, _one(uses.last()))[0] == ["tax#6"]
    clock = district.node(TAX).home
    clock.now_us += 1_000_000
    for _ in range(2):
        district.say(TAX, "use", version=VERSION, purpose="tax-registration")
    assert asked(ledgers, _one(uses.since(clock.now_us)))[0] == ["tax#7", "tax#8"]
    assert asked(ledgers, _one(uses.since(clock.now_us + 1)))[0] == []
    assert len(asked(ledgers, _one(uses.since(clock.now_us - 1_000_000)))[0]) == 5
    assert asked(ledgers, _one(uses.last()))[0] == ["tax#8"]
    for elsewhere in (MARKET, "nobody"):
        assert asked(ledgers, _one(Find.of(DataUsed, bureau=elsewhere, version=VERSION)))[0] == []


def _one(wanted: Find | Cited) -> Inquiry:
    yield wanted


def _entries(ledgers: Ledgers, wanted: Find) -> list[On[Any]]:
    shown: list[object] = []
    ask(ledgers, today() + timedelta(days=1), _one(wanted), watching=shown.append)
    return [each for each in shown if isinstance(each, On)]


# Nodes that are gone.


def test_a_node_that_is_gone_is_a_gap_and_the_others_answer(district: LyingDistrict, ledgers: Ledgers) -> None:
    """It is tried once."""
    district.node(MARKET).stop()
    shown, audited = asked(ledgers)
    assert sorted(shown) == ["tax#3", "tax#4", "tax#5", "tax#6"]
    assert gaps(audited) == {MARKET: 3}
    assert audited.coverage.exit_code == 3
    sentences = list(covered(Words(ledgers.charter, "en"), audited.coverage))
    assert any(each.startswith("Not covered: market, but for what is shown: ") for each in sentences)


def test_what_was_proven_before_a_node_went_stands(district: LyingDistrict, ledgers: Ledgers) -> None:
    """The gap begins where its answer ended."""
    passed: list[Bundle] = []

    def fail(bundle: Bundle) -> None:
        passed.append(bundle)
        if len(passed) > 1:
            raise Overloaded("too many questions")

    district.node(TAX).lies["Find"] = fail
    shown, audited = asked(ledgers)
    assert shown == ["tax#3", "market#3"]
    assert gaps(audited) == {TAX: 3}


# Nodes that lie: each is caught, and its ledger is a gap from there on.


def _alter(bundle: Bundle) -> None:
    bundle.entry[0] = bundle.entry[0][:-1] + bytes([bundle.entry[0][-1] ^ 1])


def _other(bundle: Bundle) -> list[Bundle]:
    """Its answer twice."""
    return [bundle, bundle]


def _later(bundle: Bundle) -> None:
    bundle.checkpoint = b"another"


def _elsewhere(bundle: Bundle) -> None:
    bundle.first += 1


def _unproven(bundle: Bundle) -> None:
    del bundle.path[:]


@pytest.mark.parametrize("lie", [_alter, _other, _later, _elsewhere, _unproven])
def test_an_answer_that_is_not_proven_is_a_gap(district: LyingDistrict, ledgers: Ledgers, lie: Lie) -> None:
    """Altered, given twice, under another checkpoint, at another place, without a path; the others are shown."""
    district.node(TAX).lies["Find"] = lie
    shown, audited = asked(ledgers)
    assert gaps(audited) == {TAX: 5}
    assert audited.coverage.exit_code == 5
    assert set(shown) <= {"tax#3", "market#3"}


def test_an_entry_that_was_not_asked_for_is_a_lie(district: LyingDistrict, ledgers: Ledgers) -> None:
    """It is in the ledger, and proven; it does not carry what was asked for."""
    node = district.node(TAX)
    truth: list[Bundle] = []
    node.lies["Find"] = lambda bundle: truth.append(bundle)
    _entries(ledgers, Find.of(AccessRequested, resource=CODE))
    node.lies["Find"] = lambda bundle: truth[:1]
    assert gaps(asked(ledgers, _one(Find.of(DataUsed, resource=CODE)))[1]) == {TAX: 5}


def test_an_older_state_is_a_rollback_to_who_saw_more(district: LyingDistrict, ledgers: Ledgers) -> None:
    """Its ledger is a gap, whatever it answers."""
    asked(ledgers)
    district.node(TAX).lies["GetCheckpoint"] = _older(district)
    shown, audited = asked(ledgers)
    assert (shown, gaps(audited)) == ([], {TAX: 5})
    assert "6" in next(ledger.gap for ledger in audited.coverage.ledgers if ledger.gap)


def test_an_older_state_stands_in_the_coverage_of_who_sees_it_first(district: LyingDistrict, ledgers: Ledgers) -> None:
    """Nothing contradicts it yet: the size says how far the answer reaches."""
    district.node(TAX).lies["GetCheckpoint"] = _older(district)
    shown, audited = asked(ledgers)
    assert "tax#6" not in shown
    assert (gaps(audited), [ledger.size for ledger in audited.coverage.ledgers]) == ({}, [4, 6, 3])
    district.node(TAX).lies.clear()
    assert "tax#6" in asked(ledgers)[0]


def _older(district: LyingDistrict) -> Lie:
    """The tax office's checkpoint of one entry less, truly signed."""
    note = district.office(TAX).note(6, district.node(TAX).sequencer.ledger.root_at(6))

    def lie(answer: CheckpointAnswer) -> None:
        answer.checkpoint = note
        answer.ClearField("consistency")

    return lie


# What an index leaves out.


@pytest.mark.parametrize("lie", [lambda bundle: [], lambda bundle: ()], ids=["empty", "ended"])
def test_what_an_index_leaves_out_is_not_missed_and_a_full_pass_shows_it(
    district: LyingDistrict, ledgers: Ledgers, lie: Lie
) -> None:
    """No answer to a question excludes that; the coverage says so, in either language."""
    district.node(MARKET).lies["Find"] = lie
    shown, audited = asked(ledgers)
    assert "market#3" not in shown
    assert gaps(audited) == {}
    for language, words in (("en", "that none was left out is not"), ("zh", "是否有遗漏未予证明")):
        assert any(words in each for each in covered(Words(ledgers.charter, language), audited.coverage))
    whole = survey(ledgers, today() + timedelta(days=1))
    assert len(whole.seen.grants.grants) == 1
    assert whole.coverage.full


# What is cited.


def cites(where: LyingDistrict, ref: Ref) -> Inquiry:
    """An entry of the market's, and what it cites."""
    where.say(MARKET, "deny", request=ref, resource="X-1", reason="none")

    def inquiry() -> Inquiry:
        (denied,) = yield Find.of(resource="X-1")
        yield Cited(denied.head.about)

    return inquiry()


def test_what_is_cited_is_read_where_it_stands(district: LyingDistrict, ledgers: Ledgers) -> None:
    """Also where it is newer than the checkpoint that was shown at first."""
    asking = {"resource": "X-9", "provider": MARKET, "purpose": "tax-registration"}
    shown, audited = asked(ledgers, cites(district, district.say(PLANNING, "request", **asking)))
    assert shown == ["planning#3", "market#4"]

    def later() -> Inquiry:
        yield Cited(district.say(PLANNING, "request", **asking))

    shown, audited = asked(ledgers, later())
    assert (shown, gaps(audited)) == (["planning#4"], {})
    assert [ledger.size for ledger in audited.coverage.ledgers] == [5, 7, 5]


def test_another_entry_than_was_cited_is_shown_as_that(district: LyingDistrict, ledgers: Ledgers) -> None:
    """Two claims differ, and a record of the pass says so."""
    wrong = Ref(origin=district.office(TAX).origin, index=3, leaf=bytes(32))
    shown: list[object] = []
    ask(ledgers, today() + timedelta(days=1), cites(district, wrong), watching=shown.append)
    (broken,) = [each for each in shown if isinstance(each, BrokenReference)]
    assert (broken.entry.reference, broken.cited) == ("market#4", wrong)
    assert [each.reference for each in shown if isinstance(each, On)] == ["tax#3", "market#4"]


@pytest.mark.parametrize("origin", ["pudong.example/tax", "elsewhere.example/nobody"])
def test_a_citation_of_nothing_is_no_gap(district: LyingDistrict, ledgers: Ledgers, origin: str) -> None:
    """Past the end of a ledger, or of one outside the charter."""
    nowhere = Ref(origin=origin, index=99, leaf=bytes(32))
    shown, audited = asked(ledgers, cites(district, nowhere))
    assert (shown, gaps(audited)) == (["market#4"], {})


@pytest.mark.parametrize(
    ("lie", "code"),
    [(lambda bundle: [], 5), (_alter, 5), (NotFound("never heard of it"), 4)],
    ids=["empty", "altered", "denied"],
)
def test_what_is_cited_cannot_be_left_out(
    district: LyingDistrict, ledgers: Ledgers, lie: Lie | NotFound, code: int
) -> None:
    """It is asked for by its index, and below the size that the node signed something must stand there."""

    def bent(bundle: Bundle) -> Any:
        if isinstance(lie, NotFound):
            raise lie
        return lie(bundle)

    here = district.say(PLANNING, "request", resource="X-9", provider=MARKET, purpose="tax-registration")
    district.node(PLANNING).lies["ReadEntries"] = bent
    shown, audited = asked(ledgers, cites(district, here))
    assert (shown, gaps(audited)) == (["market#4"], {PLANNING: code})
