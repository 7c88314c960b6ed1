"""An audit asks every node about every ledger: a liar is found by what others hold, and what nobody proves is no more
than an observation."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tallystick.audit.coverage import LedgerCoverage
from tallystick.audit.covered import covered
from tallystick.audit.earlier import OldReport, read_report
from tallystick.audit.finding import Standing
from tallystick.audit.life import compare
from tallystick.audit.report.json import coverage_json, finding_json
from tallystick.audit.words import Words
from tallystick.core.cosignature import make_cosignature
from tallystick.core.errors import NotFound
from tallystick.core.note import add_signatures, parse_note
from tallystick.sdk.auditing import Audited, audit
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.profile import Profile
from tallystick_proto.v1.gossip_pb2 import SwapAnswer
from tallystick_proto.v1.ledger_pb2 import CheckpointAnswer
from tallystick_proto.v1.witness_pb2 import CosignedAnswer
from tests.harness import loop
from tests.harness.company import Company
from tests.harness.lying_node import LyingNode
from tests.harness.witnesses import gathered, record

MARKET, TAX, PLANNING, AUDIT = "market", "taxation", "planning", "audit"
ALL = (MARKET, TAX, PLANNING, AUDIT)
ABOUT_LEDGERS = [
    "equivocation",
    "witness-inconsistent",
    "unreconciled",
    "rollback",
    "tree-mismatch",
    "acknowledged-lost",
]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Four bureaus, each a witness of the other three; the market's ledger has grown, and all of them hold it."""
    with capture_logs(), Company(tmp_path, *ALL) as company:
        assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
        yield company


def audited(profile: Profile, days: int = 1, before: OldReport | None = None) -> Audited:
    with Ledgers.open(profile) as ledgers:
        return audit(ledgers, date.today() + timedelta(days), rules=ABOUT_LEDGERS, before=before)


def reread(judged: Audited) -> OldReport:
    """An audit as the next one reads it."""
    words = [Words(judged.seen.charter, language) for language in ("en", "zh")]
    findings = [finding_json(each, words[0], words[1], judged.seen) for each in judged.findings]
    document = {"coverage": coverage_json(judged.coverage), "findings": findings}
    return read_report(json.dumps(document).encode(), "first.json")


def shows(note: bytes) -> Callable[[SwapAnswer], None]:
    """What has a node show one more note."""

    def add(answer: SwapAnswer) -> None:
        answer.note.append(note)

    return add


def found(judged: Audited) -> list[tuple[str, str, Standing]]:
    return [(each.rule, each.bureau, each.standing) for each in judged.findings]


def covers(judged: Audited, bureau: str) -> LedgerCoverage:
    return next(ledger for ledger in judged.coverage.ledgers if ledger.bureau == bureau)


def held(company: Company, holder: str, size: int) -> bool:
    account = company[holder].engine.heard.accounts[company.bureau(MARKET).origin]
    return account.held is not None and account.held.size == size


@pytest.mark.parametrize("known", [False, True], ids=["fresh", "returning"])
@pytest.mark.parametrize("more", [2, 3, 5], ids=["smaller", "equal", "larger"])
def test_one_liar_cannot_fool_an_auditor(company: Company, known: bool, more: int) -> None:
    """Shown another history by the forker alone, of any size, it has the proof from any witness of the true one."""
    profile = company.profile("auditor")
    if known:
        assert found(audited(profile)) == []
    other = company.fork(MARKET)
    record(other, more)
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    company.rounds_until(lambda: held(company, TAX, 9))
    shown = company.profile("shown", shown={MARKET: other})
    if known:
        (profile.state).rename(shown.state)
    judged = audited(shown)
    assert found(judged) == [("equivocation", MARKET, Standing.PROVEN)]
    assert not covers(judged, MARKET).complete
    assert {each for each in ALL if covers(judged, each).complete} == {TAX, PLANNING, AUDIT}
    again = audited(shown)
    assert [each.id for each in again.findings] == [each.id for each in judged.findings]


def test_honest_ledgers_are_compared_and_nothing_is_found(company: Company) -> None:
    """While they grow, after one crashed and began again, and with one away; the coverage says who was asked."""
    profile = company.profile("auditor")
    company.rounds_until(lambda: all(held(company, each, 6) for each in ALL[1:]))
    judged = audited(profile)
    assert (found(judged), covers(judged, MARKET).compared, judged.coverage.silent_nodes) == ([], 3, ())
    assert gathered(company[MARKET], record(company[MARKET], 2).size) is not None
    company[PLANNING].stop()
    judged = audited(profile)
    assert (found(judged), covers(judged, MARKET).compared, judged.coverage.silent_nodes) == ([], 2, (PLANNING,))
    said = list(covered(Words(profile.charter, "en"), judged.coverage))
    assert "Nodes that did not say what they hold: planning." in said
    assert f"Checkpoints compared with what 2 other nodes hold: {AUDIT}, {MARKET}, {TAX}." in said
    company[PLANNING].start()
    record(company[PLANNING], 1)
    assert found(audited(profile)) == []


def test_a_node_that_was_put_back_is_accused_of_nothing(company: Company, tmp_path: Path) -> None:
    """Who trusted more of its ledger observes that it shows less; what others hold beyond it, their copies prove."""
    node = company[MARKET]
    node.stop()
    older, noted = node.home.disk.reopened(), tmp_path / "noted"
    shutil.copy(node.home.noted, noted)
    node.start()
    assert gathered(node, record(node, 2).size) is not None
    company.rounds_until(lambda: all(held(company, each, 8) for each in ALL[1:]))
    knowing, fresh = company.profile("knowing"), company.profile("fresh")
    assert found(audited(knowing)) == []
    node.stop()
    latest, node.home.disk = node.home.disk, older
    shutil.copy(noted, node.home.noted)
    node.start()
    assert found(audited(knowing)) == [("rollback", MARKET, Standing.OBSERVED)]
    judged = audited(fresh)
    assert (found(judged), covers(judged, MARKET).size) == ([], 6)
    node.stop()
    node.home.disk = latest
    node.start()


def test_what_nobody_joins_to_the_ledger_read_is_an_observation(company: Company) -> None:
    """A checkpoint by its key that every node refuses to prove; it goes when one does, and accuses nobody."""
    profile = company.profile("auditor")
    assert gathered(company[MARKET], record(company[MARKET], 2).size) is not None
    company.rounds_until(lambda: held(company, TAX, 8))
    stale = company[MARKET].sequencer.ledger
    older = company.offices[MARKET].note(5, stale.root_at(5))
    company[MARKET].lies["GetCheckpoint"] = lambda _: CheckpointAnswer(checkpoint=older)
    for node in company.nodes.values():
        node.lies["ProveConsistency"] = _refused
    judged = audited(profile)
    assert found(judged) == [("unreconciled", MARKET, Standing.OBSERVED)]
    assert covers(judged, MARKET).size == 5
    for node in company.nodes.values():
        node.lies.clear()
    assert found(audited(profile)) == []


@pytest.mark.parametrize("true", [True, False], ids=["true", "of another history"])
def test_a_suspicion_is_cleared_by_nobody_who_cannot_tell(company: Company, true: bool) -> None:
    """Another auditor is shown nothing against the ledger, and reads it whole: it closes what the first one found only
    where what that was shown is of this ledger, and carries it on where it is not.
    """
    ledger = company[MARKET].sequencer.ledger
    company[TAX].lies["Swap"] = shows(company.offices[MARKET].note(3, ledger.root_at(3) if true else b"\1" * 32))
    for node in company.nodes.values():
        node.lies["ProveConsistency"] = _refused
    first = audited(company.profile("first"))
    assert found(first) == [("unreconciled", MARKET, Standing.OBSERVED)]
    for node in company.nodes.values():  # the first auditor told them of it
        node.lies["Swap"] = lambda answer: answer.ClearField("note")
    earlier = reread(first)
    second = audited(company.profile("second"), before=earlier)
    assert found(second) == []
    came = compare(second.findings, earlier, second.seen, second.coverage, ABOUT_LEDGERS)
    assert [each.id for each in (came.closed if true else came.unjudged)] == [each.id for each in first.findings]
    assert not (came.unjudged if true else came.closed)


def test_a_witness_that_cosigned_both_histories_is_proven_to_have(company: Company) -> None:
    """Whoever meets both notes keeps its cosignatures with the proof, and the audit names its key beside the forker's.

    Witnesses that cosigned one of the two are not named.
    """
    other = company.fork(MARKET)
    record(other, 3)
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    pair = [_cosigned(company, node, by) for node, by in ((company[MARKET], (TAX, AUDIT)), (other, (TAX,)))]
    loop.run(company[PLANNING].engine.heard.take(pair, (), MARKET))
    assert company.evidence(PLANNING, MARKET) is not None
    judged = audited(company.profile("auditor"))
    assert sorted(found(judged)) == [
        ("equivocation", MARKET, Standing.PROVEN),
        ("witness-inconsistent", TAX, Standing.PROVEN),
    ]
    assert covers(judged, TAX).complete


def test_a_witness_is_named_by_what_the_forker_shows_of_it(company: Company) -> None:
    """A forker that has its branch look witnessed gives away who helped it, once a node holds the other note."""
    other = company.fork(MARKET)
    record(other, 3)
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    loop.run(company[PLANNING].engine.heard.take([_cosigned(company, company[MARKET], (TAX, AUDIT))], (), MARKET))
    shown = CosignedAnswer(newest=[_cosigned(company, other, (TAX,))])
    other.lies["GetCosigned"] = lambda _: shown
    judged = audited(company.profile("auditor", shown={MARKET: other}))
    assert sorted(found(judged)) == [
        ("equivocation", MARKET, Standing.PROVEN),
        ("witness-inconsistent", TAX, Standing.PROVEN),
    ]


def test_a_checkpoint_that_a_ledger_carries_and_is_not_of_becomes_evidence(company: Company) -> None:
    """It bounds nothing, and is an observation at first; joined to what the ledger shows it proves two histories."""
    office, profile = company.offices[MARKET], company.profile("auditor")
    note = office.note(3, b"\1" * 32)
    carrying = office.prepared([office.say("note_witnessed", "node", note=note.decode())], "node")
    loop.run(company[MARKET].sequencer.record(carrying))
    assert found(audited(profile, days=1_000)) == [("unreconciled", MARKET, Standing.OBSERVED)]
    assert found(audited(profile)) == [("equivocation", MARKET, Standing.PROVEN)]


def _cosigned(company: Company, node: LyingNode, by: tuple[str, ...]) -> bytes:
    """What a node's ledger has now, cosigned by these bureaus' keys."""
    ledger = node.sequencer.ledger
    plain = company.offices[MARKET].note(ledger.state.size, ledger.root_at(ledger.state.size))
    text = parse_note(plain).text
    keys = {each: company.offices[each].keys["witness"] for each in by}
    lines = (make_cosignature(text, 1_800_000_000, keys[each], f"{company.bureau(each).origin}/witness") for each in by)
    return add_signatures(plain, *lines)


def _refused(_: object) -> object:
    raise NotFound("it is not shown", expected="nothing")
