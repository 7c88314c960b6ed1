"""An audit of three ledgers of which one's node lies: it is named, the others are judged, nobody else is accused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tallystick.core.errors import Stopping, StoreDamaged
from tallystick.core.merkle import prove_range
from tallystick.core.moments import moment_json
from tallystick.sdk.auditing import audit
from tallystick.sdk.clock import now_us
from tallystick.sdk.ledgers import Ledgers
from tallystick_proto.v1.ledger_pb2 import Bundle, CheckpointAnswer
from tallystick_proto.v1.statement_pb2 import Ref
from tests.cli.conftest import Said, Tally
from tests.harness.lying_district import LyingDistrict
from tests.harness.lying_node import SILENCE

MARKET, TAX, LIAR = "market", "tax", "planning"
WITHHELD = "withheld-without-basis"
DIGEST = f"blake3:{'5a' * 32}"


@pytest.fixture
def district(tmp_path: Path) -> Iterator[LyingDistrict]:
    """Each bureau withholds one resource without a basis, which is found; what they do with each other is lawful.

    Market and tax lean on what planning recorded: a receipt of theirs, an answer to theirs, halves of theirs.
    """
    with LyingDistrict(tmp_path, MARKET, TAX, LIAR) as made:
        for bureau in (MARKET, TAX, LIAR):
            made.say(bureau, "declare", resource=f"{bureau}-1", scheme="s", title="t", sharing="withheld")
            made.say(bureau, "declare", resource=f"{bureau}-2", scheme="s", title="t", sharing="unconditional")
        for number, (sender, receiver) in enumerate([(MARKET, TAX), (MARKET, LIAR), (LIAR, TAX), (TAX, LIAR)]):
            exchange = UUID(int=number + 1).bytes
            half: dict[str, Any] = {"exchange": exchange, "version": f"{sender}-2@1", "digest": DIGEST, "size": 7}
            sent = made.say(sender, "send", to=receiver, **half)
            made.say(receiver, "receive", sender=sender, sent=sent, **half)
        asked = made.say(TAX, "request", resource=f"{LIAR}-2", provider=LIAR, purpose="tax-registration")
        made.say(LIAR, "deny", request=asked, to=TAX, resource=f"{LIAR}-2", reason="it is open to all")
        yield made
        for bureau in (MARKET, TAX, LIAR):
            made.node(bureau).lies.clear()


def later() -> str:
    """A day on which every deadline has passed."""
    moment = moment_json(now_us() + timedelta(days=60) // timedelta(microseconds=1))
    assert moment is not None
    return moment[:10]


def audited(tally: Tally, district: LyingDistrict, *options: str) -> Said:
    return tally("audit", "--json", "--on", later(), *options, profile=district.profile)


def found(document: dict[str, Any]) -> set[tuple[str, str]]:
    """What is found, by rule and bureau."""
    return {(each["rule"], each["bureau"]) for each in document["findings"]}


def ledger(document: dict[str, Any], bureau: str) -> dict[str, Any]:
    ledgers: list[dict[str, Any]] = document["coverage"]["ledgers"]
    return next(each for each in ledgers if each["bureau"] == bureau)


def test_honest_nodes_are_judged_by_what_they_recorded(tally: Tally, district: LyingDistrict) -> None:
    """One finding a bureau, everything covered, nothing left unjudged."""
    document = audited(tally, district).json
    assert found(document) == {(WITHHELD, bureau) for bureau in (MARKET, TAX, LIAR)}
    assert all(each["complete"] for each in document["coverage"]["ledgers"])
    assert document["coverage"]["unjudged"] == []


def test_a_circle_of_citations_is_told_open_by_the_nodes(tally: Tally, district: LyingDistrict) -> None:
    """What cites another entry than the one that comes to stand there is asked for out of turn, and said to."""
    last = district.say(MARKET, "declare", resource="M-9", scheme="s", title="t", sharing="unconditional")
    false = Ref(origin=last.origin, index=last.index + 2, leaf=bytes(32))
    district.say(LIAR, "acknowledge", notice=false, action="noted")
    asked = district.say(LIAR, "request", resource="M-9", provider=MARKET, purpose="tax-registration")
    district.say(MARKET, "deny", request=asked, to=LIAR, resource="M-9", reason="it is open to all")
    district.say(MARKET, "declare", resource="M-9", scheme="s", title="u", sharing="unconditional")
    document = audited(tally, district).json
    assert found(document) - {(WITHHELD, bureau) for bureau in (MARKET, TAX, LIAR)} == {("broken-reference", LIAR)}


# What a node can do to an audit. Each gets the district, bends its third node, and says how that is found.


def alters_an_entry(district: LyingDistrict) -> tuple[str, int]:
    def lie(bundle: Bundle) -> None:
        bundle.entry[5] = bundle.entry[5][:-1] + bytes([bundle.entry[5][-1] ^ 1])

    district.node(LIAR).lies["ReadEntries"] = lie
    return "tree-mismatch", 0


def leaves_one_out(district: LyingDistrict) -> tuple[str, int]:
    def lie(bundle: Bundle) -> None:
        del bundle.entry[5]

    district.node(LIAR).lies["ReadEntries"] = lie
    return "tree-mismatch", 0


def changes_two_about(district: LyingDistrict) -> tuple[str, int]:
    def lie(bundle: Bundle) -> None:
        one, other = bundle.entry[4], bundle.entry[5]
        bundle.entry[4], bundle.entry[5] = other, one

    district.node(LIAR).lies["ReadEntries"] = lie
    return "tree-mismatch", 0


def answers_nothing(district: LyingDistrict) -> tuple[str, int]:
    district.node(LIAR).lies["ReadEntries"] = lambda _: ()
    return "tree-mismatch", 0


def first_half(district: LyingDistrict, bundle: Bundle, count: int) -> Bundle:
    """The first entries of a bundle, as an honest node would answer for them."""
    reader = district.node(LIAR).sequencer.ledger.reader()
    return Bundle(
        first=0, entry=bundle.entry[:count], path=prove_range(0, count, bundle.size, reader), size=bundle.size
    )


def answers_half(district: LyingDistrict) -> tuple[str, int]:
    district.node(LIAR).lies["ReadEntries"] = lambda bundle: [first_half(district, bundle, 5)]
    return "tree-mismatch", 5


def breaks_off(district: LyingDistrict) -> tuple[str, int]:
    def lie(bundle: Bundle) -> Iterator[Bundle]:
        yield first_half(district, bundle, 5)
        raise Stopping("the node is going down", where=LIAR, expected="another try later")

    district.node(LIAR).lies["ReadEntries"] = lie
    return "", 5


def has_a_damaged_disk(district: LyingDistrict) -> tuple[str, int]:
    def lie(_: Bundle) -> None:
        raise StoreDamaged("a stored entry does not read", where=f"{LIAR}#5", expected="what was stored")

    district.node(LIAR).lies["ReadEntries"] = lie
    return "", 0


def is_gone(district: LyingDistrict) -> tuple[str, int]:
    district.node(LIAR).stop()
    return "", 0


def goes_back(district: LyingDistrict) -> tuple[str, int]:
    node = district.node(LIAR)
    older = CheckpointAnswer(checkpoint=district.office(LIAR).note(4, node.sequencer.ledger.root_at(4)))
    node.lies["GetCheckpoint"] = lambda _: older
    return "rollback", 0


def forks(district: LyingDistrict) -> tuple[str, int]:
    size = district.node(LIAR).sequencer.ledger.state.size
    other = district.office(LIAR).note(size, b"\x07" * 32)
    district.node(LIAR).lies["GetCheckpoint"] = lambda answer: setattr(answer, "checkpoint", other)
    return "equivocation", 0


def proves_nothing(district: LyingDistrict) -> tuple[str, int]:
    other = district.office(LIAR).note(99, b"\x07" * 32)
    district.node(LIAR).lies["GetCheckpoint"] = lambda answer: setattr(answer, "checkpoint", other)
    return "unreconciled", 0


def signs_with_another_key(district: LyingDistrict) -> tuple[str, int]:
    note = district.office(MARKET).note(3, b"\x07" * 32)
    district.node(LIAR).lies["GetCheckpoint"] = lambda answer: setattr(answer, "checkpoint", note)
    return "tree-mismatch", 0


def shows_rubbish(district: LyingDistrict) -> tuple[str, int]:
    district.node(LIAR).lies["GetCheckpoint"] = lambda answer: setattr(answer, "checkpoint", b"\xff\x00 rubbish")
    return "tree-mismatch", 0


LIES = (
    alters_an_entry,
    leaves_one_out,
    changes_two_about,
    answers_nothing,
    answers_half,
    breaks_off,
    has_a_damaged_disk,
    is_gone,
    goes_back,
    forks,
    proves_nothing,
    signs_with_another_key,
    shows_rubbish,
)


@pytest.mark.parametrize("lying", LIES)
def test_a_liar_is_named_or_missed_and_nobody_else_is_accused(
    tally: Tally, district: LyingDistrict, lying: Callable[[LyingDistrict], tuple[str, int]]
) -> None:
    """The others' findings are all there and no more; the liar's gap says from where, what leans on it is unjudged."""
    assert audited(tally, district).code == 1
    rule, read = lying(district)
    said = audited(tally, district)
    document = said.json
    assert said.code == 1
    theirs = {each for each in found(document) if each[1] != LIAR}
    assert theirs == {(WITHHELD, MARKET), (WITHHELD, TAX)}
    of_liar = {each for each, bureau in found(document) if bureau == LIAR}
    assert of_liar - {WITHHELD} == ({rule} if rule else set())
    gap = ledger(document, LIAR)
    assert (gap["complete"], gap["checked"]) == (False, read)
    assert LIAR in gap["gap"]
    assert all(ledger(document, bureau)["complete"] for bureau in (MARKET, TAX))
    unjudged = {(each["rule"], each["bureau"]) for each in document["coverage"]["unjudged"]}
    assert {bureau for _, bureau in unjudged} == {LIAR}
    assert {"received-not-sent", "sent-not-received", "request-overdue"} <= {each for each, _ in unjudged}


@pytest.mark.parametrize("lying", LIES)
def test_without_findings_the_exit_code_says_what_was_not_covered(
    tally: Tally, district: LyingDistrict, lying: Callable[[LyingDistrict], tuple[str, int]]
) -> None:
    """3 where it did not answer, 4 where its disk is damaged, 5 where it lied; 0 is for what was covered whole."""
    assert audited(tally, district, "--rule", "zombie-system").code == 0
    rule, _ = lying(district)
    said = audited(tally, district, "--rule", "zombie-system")
    assert said.json["findings"] == []
    codes: dict[Any, int] = {has_a_damaged_disk: 4, breaks_off: 3, is_gone: 3}
    expected = codes.get(lying, 5)
    assert (said.code, bool(rule)) == (expected, expected == 5)


def test_what_a_liar_is_found_by_is_observed_or_proven_by_its_key(tally: Tally, district: LyingDistrict) -> None:
    """A checkpoint the ledger's key did not sign, and entries it does not hold, prove nothing against the bureau."""
    audited(tally, district)
    standings = {}
    for lying in (alters_an_entry, goes_back, proves_nothing, signs_with_another_key, shows_rubbish, forks):
        district.node(LIAR).lies.clear()
        rule, _ = lying(district)
        (finding,) = (each for each in audited(tally, district).json["findings"] if each["rule"] == rule)
        standings[lying] = finding["standing"]
    assert standings == {
        alters_an_entry: "observed",
        goes_back: "observed",
        proves_nothing: "observed",
        signs_with_another_key: "observed",
        shows_rubbish: "observed",
        forks: "proven",
    }


@pytest.mark.parametrize("lying", [goes_back, forks, alters_an_entry])
def test_a_lie_is_found_whatever_days_are_asked_about(
    tally: Tally, district: LyingDistrict, lying: Callable[[LyingDistrict], tuple[str, int]]
) -> None:
    """What is seen now arose now: no `--since` leaves it out."""
    audited(tally, district)
    rule, _ = lying(district)
    assert (rule, LIAR) in found(audited(tally, district, "--since", later()).json)


def test_a_node_that_says_nothing_and_does_not_hang_up_holds_up_nobody(district: LyingDistrict) -> None:
    """Each answer has a deadline; what was not answered in time is a gap, and the others are judged."""
    district.node(LIAR).lies["ReadEntries"] = lambda _: SILENCE
    with Ledgers.open(district.profile) as ledgers:
        ledgers[LIAR].wire.deadline_s = 0.5
        judged = audit(ledgers, date.fromisoformat(later()))
    assert {(each.rule, each.bureau) for each in judged.findings} == {(WITHHELD, MARKET), (WITHHELD, TAX)}
    silent = next(each for each in judged.coverage.ledgers if each.bureau == LIAR)
    assert (silent.checked, silent.exit_code) == (0, 3)
    assert "no answer in time" in silent.gap


def test_an_older_state_shown_to_a_new_auditor_covers_no_more_than_it_says(
    tally: Tally, district: LyingDistrict
) -> None:
    """Nothing proves it older, so the coverage is what was shown, and what it lacks is one side's word against it."""
    goes_back(district)
    document = audited(tally, district).json
    assert ledger(document, LIAR)["size"] == 4
    rest = {(each["rule"], each["standing"]) for each in document["findings"] if each["bureau"] == LIAR}
    assert ("received-not-sent", "one-side") in rest
    assert {standing for _, standing in rest} <= {"one-side", "absent", "proven"}
    assert {bureau for rule, bureau in found(document) if rule != WITHHELD} == {LIAR}
