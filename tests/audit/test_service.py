"""When a clock starts and when it was met: by what witnesses let be true, by no bare word where they say otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tallystick.audit.finding import Finding, Standing
from tallystick.core.note import NoteSignature, add_signatures, parse_note
from tests.harness.cosigned import SECOND_US, note_of, put_note, witnessed
from tests.harness.district import RULEBOOK, District, Said
from tests.harness.stories import requested

BUREAUS = ("tax", "market", "planning", "human-resources", "data-office")
DAY_S = 86_400
WEEK_S = 7 * DAY_S


def asked(**rulebook: Any) -> tuple[District, Said]:
    """The tax office asks the market, on the first of March; and that is what the market owes."""
    where = District(*BUREAUS, rulebook={**RULEBOOK, **rulebook})
    return where, requested(where)


def overdue(where: District, on: str = "2027-04-30") -> Finding | None:
    found = where.audit(on, ["request-overdue"])
    assert len(found) <= 1
    return found[0] if found else None


def said(where: District) -> str:
    finding = overdue(where)
    assert finding is not None
    sentence = where.sentence(finding, "en")
    return sentence[sentence.index("due") : sentence.index(" (")]


Serve = Callable[[District, Said], object]


def _later(where: District, day: str, then: Callable[[], object]) -> object:
    where.on(day)
    return then()


@pytest.mark.parametrize(
    ("serve", "sentence"),
    [
        pytest.param(
            lambda w, r: None,
            "due 2027-03-15, counted from 2027-03-01, recorded by its node's word",
            id="not witnessed",
        ),
        pytest.param(
            lambda w, r: witnessed(w, "tax"),
            "due 2027-03-15, counted from 2027-03-01, served by cosignature",
            id="cosigned",
        ),
        pytest.param(
            lambda w, r: witnessed(w, "tax", "market"),
            "due 2027-03-17, counted from 2027-03-03, deemed served",
            id="deemed after two working days",
        ),
        pytest.param(
            lambda w, r: (witnessed(w, "tax", "market"), _later(w, "2027-03-02", lambda: witnessed(w, "tax"))),
            "due 2027-03-16, counted from 2027-03-02, served by cosignature",
            id="cosigned a day later",
        ),
        pytest.param(
            lambda w, r: (witnessed(w, "tax", "market"), _later(w, "2027-03-09", lambda: witnessed(w, "tax"))),
            "due 2027-03-17, counted from 2027-03-03, deemed served",
            id="cosigned after it was deemed",
        ),
        pytest.param(
            lambda w, r: witnessed(w, "tax", late_s={"market": 30 * DAY_S}),
            "due 2027-03-17, counted from 2027-03-03, deemed served",
            id="cosigned in the future by its own word",
        ),
        pytest.param(
            lambda w, r: witnessed(w, "tax", late_s={"market": -30 * DAY_S}),
            "due 2027-03-15, counted from 2027-03-01, served by cosignature",
            id="cosigned before it was there",
        ),
        pytest.param(
            lambda w, r: (
                witnessed(w, "tax", "market"),
                _later(w, "2027-03-02", lambda: w["market"].acknowledge(r, action="noted")),
            ),
            "due 2027-03-16, counted from 2027-03-02, served by acknowledgement",
            id="acknowledged",
        ),
        pytest.param(
            lambda w, r: (
                witnessed(w, "tax", "market"),
                _later(w, "2027-03-02", lambda: w["planning"].acknowledge(r, action="noted")),
            ),
            "due 2027-03-17, counted from 2027-03-03, deemed served",
            id="acknowledged by somebody else",
        ),
        pytest.param(
            lambda w, r: put_note(w, "tax", note_of(w, "tax", {"market": w.now_us // SECOND_US})),
            "due 2027-03-15, counted from 2027-03-01, recorded by its node's word",
            id="its cosignature alone, and no quorum",
        ),
    ],
)
def test_the_sentence_says_since_when_and_how_that_is_known(serve: Serve, sentence: str) -> None:
    """The earliest counts of cosigned, acknowledged and deemed; with no quorum there is the word of a node."""
    where, request = asked()
    serve(where, request)
    assert said(where) == sentence


def test_who_is_no_witness_is_served_by_its_cosignature_too() -> None:
    """Where others are listed, the addressee's own key says when it had it, and adds nothing to the quorum."""
    where = District(*BUREAUS, witnesses={"tax": ("planning", "human-resources", "data-office")})
    requested(where)
    witnessed(where, "tax", "market", "planning")
    where.on("2027-03-02")
    note = note_of(where, "tax", {"market": where.now_us // SECOND_US})
    put_note(where, "tax", note)
    assert said(where) == "due 2027-03-16, counted from 2027-03-02, served by cosignature"
    _, seen, _ = where.look("2027-04-30")
    ledger = seen.witness_times._ledgers[where["tax"].bureau.origin]
    assert ledger.witnessed == 1  # by the two of three who are witnesses, and not by the third


def test_a_bad_cosignature_of_the_addressee_serves_nothing_and_spoils_nothing() -> None:
    """What others cosigned on the same note holds all the same."""
    where = District(*BUREAUS, witnesses={"tax": ("planning", "human-resources", "data-office")})
    requested(where)
    now_s = where.now_us // SECOND_US
    good = note_of(where, "tax", dict.fromkeys(("planning", "human-resources"), now_s))
    (line,) = parse_note(note_of(where, "tax", {"market": now_s})).signatures[1:]
    bad = NoteSignature(line.name, line.key_id, line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
    put_note(where, "tax", add_signatures(good, bad))
    assert said(where) == "due 2027-03-17, counted from 2027-03-03, deemed served"


def test_both_languages_say_it() -> None:
    """As in English, so in Chinese."""
    where, _ = asked()
    witnessed(where, "tax", "market")
    finding = overdue(where)
    assert finding is not None
    assert "自 2027年3月3日 起算，视为送达" in where.sentence(finding, "zh")


def test_where_no_rule_deems_it_is_served_when_witnessed() -> None:
    """A rulebook without `deemed_service` puts nothing off."""
    where, _ = asked(deadlines={"answer_request": 10})
    witnessed(where, "tax", "market")
    assert said(where) == "due 2027-03-15, counted from 2027-03-01, witnessed"


def test_a_request_dated_back_makes_nobody_late() -> None:
    """Its node says that it was recorded weeks ago; the clock runs from when others had it."""
    where, _ = asked()
    where.on("2027-03-22")
    witnessed(where, "tax")
    assert said(where) == "due 2027-04-06, counted from 2027-03-22, served by cosignature"


def test_a_request_dated_ahead_puts_nothing_off() -> None:
    """Witnesses had it before its node says it was recorded: the earlier counts."""
    where = District(*BUREAUS)
    where.on("2027-03-29")
    requested(where)
    at_s = dict.fromkeys(BUREAUS[2:], where.now_us // SECOND_US - 4 * WEEK_S)
    put_note(where, "tax", note_of(where, "tax", at_s))
    assert said(where) == "due 2027-03-17, counted from 2027-03-03, deemed served"


def test_an_answer_dated_back_is_late_all_the_same() -> None:
    """What is recorded after a note is no earlier than its times, whatever the node's clock says."""
    where, request = asked()
    where.on("2027-03-10")
    at_s = dict.fromkeys(("tax", "planning", "human-resources"), where.now_us // SECOND_US + 2 * WEEK_S)
    put_note(where, "market", note_of(where, "market", at_s))
    where["market"].deny(request, reason="no")
    finding = overdue(where)
    assert finding is not None
    assert finding.facts["late"] == "was-late"


def test_an_answer_by_a_clock_that_is_ahead_is_in_time() -> None:
    """Witnesses had it before the deadline; that its node dates it later is clock-skew, and not lateness."""
    where, request = asked()
    where.on("2027-03-22")
    where["market"].deny(request, reason="no")
    assert overdue(where) is not None
    where.on("2027-03-23")
    at_s = dict.fromkeys(("tax", "planning", "human-resources"), where.now_us // SECOND_US - 2 * WEEK_S)
    put_note(where, "market", note_of(where, "market", at_s))
    assert overdue(where) is None
    assert [finding.rule for finding in where.audit("2027-04-30")] == ["clock-skew"]


def test_bounds_that_contradict_each_other_bound_nothing() -> None:
    """There by a time before which it cannot have been: then there is the node's word."""
    where, request = asked()
    now_s = where.now_us // SECOND_US
    put_note(
        where, "market", note_of(where, "market", dict.fromkeys(("tax", "planning", "data-office"), now_s + WEEK_S * 5))
    )
    where.on("2027-03-12")
    where["market"].deny(request, reason="no")
    assert overdue(where) is not None
    put_note(where, "market", note_of(where, "market", dict.fromkeys(("tax", "planning", "data-office"), now_s)))
    assert overdue(where) is None


@pytest.mark.parametrize("by", ["tax", "planning"])
@pytest.mark.parametrize("wrong_s", [-5 * WEEK_S, 5 * WEEK_S])
def test_one_wrong_clock_makes_nobody_late(by: str, wrong_s: int) -> None:
    """One witness of four may say any time: an answer in the last moment stays in time."""
    where, request = asked()
    witnessed(where, "tax", late_s={by: wrong_s})
    where.on("2027-03-15", 23)
    witnessed(where, "market", late_s={by: wrong_s})
    where["market"].deny(request, reason="no")
    witnessed(where, "market", late_s={by: wrong_s})
    assert not where.audit("2027-04-30")


def test_clocks_that_differ_by_minutes_move_no_deadline() -> None:
    """All witnesses are minutes ahead, and the answer comes in the last minute: within what clocks may differ."""
    where, request = asked()
    witnessed(where, "tax")
    where.on("2027-03-16", 0)
    where.now_us -= 60 * SECOND_US
    witnessed(where, "market", late_s=dict.fromkeys(BUREAUS, 240))
    where["market"].deny(request, reason="no")
    assert not where.audit("2027-04-30")


def other_history(where: District, bureau: str, at_s: dict[str, int]) -> bytes:
    """A checkpoint of as many entries as a ledger has, by its own key, of entries that do not stand there."""
    twin = District(*BUREAUS)
    twin.now_us += 1
    for number in range(len(where[bureau].entries)):
        twin[bureau].declare(f"T-{number}", scheme="local", title="T", sharing="unconditional")
    return note_of(twin, bureau, at_s)


def test_nobody_is_served_what_stands_in_another_history_than_it_cosigned() -> None:
    """Who opens an entry shows another one in its place, has that cosigned, and records this as the cosignature."""
    where, _ = asked()
    early_s = where.now_us // SECOND_US
    where.on("2027-03-12")
    put_note(where, "tax", other_history(where, "tax", dict.fromkeys(BUREAUS[1:], early_s)))
    witnessed(where, "tax")
    assert said(where) == "due 2027-03-26, counted from 2027-03-12, served by cosignature"
    (finding,) = where.audit("2027-03-14")
    assert (finding.rule, finding.bureau) == ("unreconciled", "tax")
    assert where.sentence(finding, "en") == (
        "the node of tax does not show that what it signed extends what it signed before: it carries a checkpoint"
        " of 1 entries that is not of this ledger (an observation, not proven)"
    )


def test_how_late_an_answer_was_is_proven_by_witnesses_and_by_no_word_alone() -> None:
    """Who opened it may have dated it back: as long as no quorum is known to have had it, that is one side's word."""
    for shown, standing in ((False, Standing.ONE_SIDE), (True, Standing.PROVEN)):
        where, request = asked()
        if shown:
            witnessed(where, "tax")
        where.on("2027-03-22")
        where["market"].deny(request, reason="no")
        finding = overdue(where)
        assert finding is not None
        assert (finding.facts["late"], finding.standing) == ("was-late", standing)
