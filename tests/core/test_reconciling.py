"""What is held of a ledger: honest notes in any order never accuse, and a fork is proven where a proof can be had."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.bureau import Floor
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.cosignature import make_cosignature
from tallystick.core.equivocation import verify_equivocation
from tallystick.core.errors import Forked, SignatureInvalid, Unreconciled
from tallystick.core.news import Holding, lines_of, news
from tallystick.core.note import add_signatures, encode_base64, parse_note
from tallystick.core.reconciling import APART_MAX, PAST_MAX, Account, Seen, see
from tallystick_proto.v1.gossip_pb2 import SwapAnswer
from tests.harness.ledger_maker import charter_of, key_of
from tests.harness.rosters import roster_of
from tests.reference.rfc6962 import Reference

LEDGER, *WITNESSES = roster_of(4)
CHARTER = charter_of(LEDGER, *WITNESSES)
SIZE = 20
TRUTH = Reference([f"entry {number}".encode() for number in range(SIZE)])


@cache
def rewritten(at: int) -> Reference:
    """The same history up to entry `at`, and other entries from there on."""
    return Reference([*TRUTH.entries[:at], *(f"other {number}".encode() for number in range(at, SIZE + APART_MAX))])


def note(history: Reference, size: int, *cosigned: tuple[int, int]) -> bytes:
    """A checkpoint, cosigned by witnesses, by number, each at a second."""
    plain = sign_checkpoint(Checkpoint(LEDGER.origin, size, history.mth(0, size)), key_of(LEDGER.id, "node"))
    text = parse_note(plain).text
    return add_signatures(
        plain,
        *(
            make_cosignature(text, at_s, key_of(WITNESSES[one].id, "witness"), f"{WITNESSES[one].origin}/witness")
            for one, at_s in cosigned
        ),
    )


def shown(*notes: bytes) -> Account:
    account = Account(CHARTER, LEDGER)
    for each in notes:
        account.show(each)
    return account


def settle(account: Account, history: Reference) -> None:
    """Settle what can be settled by who holds a history and hides nothing of it."""
    for seen in list(account.apart):
        old, new = account.wanted(seen)
        try:
            account.settle(seen, history.proof(old, new) if 0 < old < new else (), history.mth(0, old))
        except Unreconciled:
            continue


def shown_and_settled(one: bytes, other: bytes, history: Reference) -> None:
    settle(shown(one, other), history)


@given(st.lists(st.integers(0, SIZE), min_size=1, max_size=12), st.data())
def test_honest_notes_in_any_order_never_accuse(sizes: list[int], data: st.DataObject) -> None:
    """Late, doubled, out of order, proven at once, much later or never: the largest one is held in the end."""
    account = Account(CHARTER, LEDGER)
    for size in sizes:
        account.show(note(TRUTH, size))
        if data.draw(st.booleans()):
            settle(account, TRUTH)
    settle(account, TRUTH)
    settle(account, TRUTH)
    assert not account.apart
    assert account.held is not None
    assert account.held.size <= max(sizes)
    assert account.held.size == max(sizes) or len(sizes) > APART_MAX


@given(st.integers(0, SIZE - 1), st.data())
def test_a_note_here_and_the_other_branch_there_is_proven(at: int, data: st.DataObject) -> None:
    """Whoever holds either branch whole proves the fork to the holder of a note of the other, whatever the sizes."""
    here, there = data.draw(st.integers(at + 1, SIZE)), data.draw(st.integers(at + 1, SIZE))
    ours, theirs = (TRUTH, rewritten(at)) if data.draw(st.booleans()) else (rewritten(at), TRUTH)
    with pytest.raises(Forked) as caught:
        shown_and_settled(note(ours, here), note(theirs, there), theirs if here <= there else ours)
    assert verify_equivocation(caught.value.evidence, CHARTER)[0] == LEDGER


@given(st.integers(0, SIZE - 1), st.data())
def test_a_failed_proof_is_a_suspicion_and_never_evidence(at: int, data: st.DataObject) -> None:
    """A proof of the wrong history, of other sizes, or none, leaves what is held as it is and the note apart."""
    here = data.draw(st.integers(1, SIZE - 1))
    account = shown(note(TRUTH, here), note(TRUTH, SIZE))
    (seen,) = account.apart
    wrong = data.draw(st.sampled_from(["none", "short", "other"]))
    proof = TRUTH.proof(here, SIZE)
    bad = {"none": (), "short": proof[:-1], "other": rewritten(at).proof(here, SIZE)}[wrong]
    if list(bad) != list(proof):
        with pytest.raises(Unreconciled):
            account.settle(seen, bad)
        assert (account.held, account.apart) == (see(note(TRUTH, here), CHARTER, LEDGER), [seen])
    settle(account, TRUTH)
    assert not account.apart


def test_two_roots_of_one_size_are_evidence_at_once() -> None:
    """Also where neither of them is held, but kept apart."""
    for before in ((), (note(TRUTH, 3),)):
        with pytest.raises(Forked) as caught:
            shown(*before, note(TRUTH, 9), note(rewritten(4), 9))
        assert verify_equivocation(caught.value.evidence, CHARTER)[0] == LEDGER


def test_what_was_held_before_is_held_against_others() -> None:
    """A history that went on since contradicts another of a size at which it was held, with no proof from anybody; of
    these a few are kept.
    """
    account = shown(note(TRUTH, 7))
    for size in range(8, 16):
        account.show(note(TRUTH, size))
        settle(account, TRUTH)
    assert [each.size for each in account.past] == list(range(15 - PAST_MAX, 15))
    with pytest.raises(Forked) as caught:
        account.show(note(rewritten(4), 14))
    assert verify_equivocation(caught.value.evidence, CHARTER)[0] == LEDGER


def test_the_newest_few_are_kept_apart() -> None:
    """More than a few are not held, the oldest make room, and what is there already is no news."""
    account = shown(note(TRUTH, 1), *(note(TRUTH, size) for size in range(2, SIZE)))
    assert [seen.size for seen in account.apart] == list(range(SIZE - APART_MAX, SIZE))
    assert not account.show(note(TRUTH, SIZE - 1))


@given(st.lists(st.integers(1, SIZE - 1), min_size=1, max_size=12), st.integers(1, APART_MAX - 1))
def test_what_is_doubted_is_kept_apart_whatever_else_is_told(sizes: list[int], doubts: int) -> None:
    """A ledger's lawful notes come without end; they make room for each other, and the last of them is kept too."""
    account = shown(note(TRUTH, SIZE), *(note(rewritten(0), SIZE + 1 + number) for number in range(doubts)))
    doubted = list(account.apart)
    for seen in doubted:
        account.doubt(seen)
    for size in sizes:
        account.show(note(TRUTH, size))
    assert [seen for seen in account.apart if seen in doubted] == doubted
    assert account.doubted == {seen.checkpoint for seen in doubted}
    assert sizes[-1] in {seen.size for seen in account.apart}


def test_of_more_than_a_few_that_are_doubted_the_newest_are_kept() -> None:
    """What is no more apart is not doubted either."""
    account = shown(note(TRUTH, 1))
    for size in range(2, SIZE):
        account.show(note(TRUTH, size))
        account.doubt(account.apart[-1])
    assert [seen.size for seen in account.apart] == list(range(SIZE - APART_MAX, SIZE))
    assert account.doubted == {seen.checkpoint for seen in account.apart}


def test_cosignatures_are_merged_each_witness_with_its_newest() -> None:
    """Whatever the order of two notes, both cosigners stand in the end, and strangers do not."""
    one, other = note(TRUTH, 9, (0, 50), (1, 70)), note(TRUTH, 9, (1, 60), (2, 40))
    text = parse_note(one).text
    stranger = add_signatures(other, make_cosignature(text, 9, key_of("x"), "a.b/x/witness"))
    for notes in ((one, stranger), (stranger, one)):
        held = shown(*notes).held
        assert held is not None
        assert held.note == note(TRUTH, 9, *sorted([(0, 50), (1, 70), (2, 40)], key=lambda each: WITNESSES[each[0]].id))
        assert held.newest_s == 70


def test_a_note_that_nobody_of_the_ledger_signed_is_refused() -> None:
    """Neither a stranger's note is taken in nor one that a witness's cosignature does not fit."""
    forged = note(TRUTH, 9, (0, 50)).replace(b"\n9\n", b"\n8\n")
    with pytest.raises(SignatureInvalid):
        shown(forged)


def test_what_is_pinned_is_extended_or_not_held() -> None:
    """Below the floor a note says nothing; above it is held once it is proven to extend that, and is no evidence."""
    floor = Floor(8, encode_base64(TRUTH.mth(0, 8)))
    pinned = msgspec.structs.replace(LEDGER, floor=floor)
    account = Account(charter_of(pinned, *WITNESSES), pinned)
    assert not account.show(note(rewritten(0), 7))
    account.show(note(rewritten(2), 12))
    settle(account, rewritten(2))
    assert [each.size for each in account.apart] == [12]
    account.show(note(TRUTH, 11))
    settle(account, TRUTH)
    assert account.held == see(note(TRUTH, 11), account.charter, pinned)
    with pytest.raises(Forked):
        settle(account, rewritten(2))


def test_the_pinned_checkpoint_shown_again_is_no_news() -> None:
    """Anybody may have it: what is held beyond it stays held, and nothing is apart."""
    pinned = msgspec.structs.replace(LEDGER, floor=Floor(8, encode_base64(TRUTH.mth(0, 8))))
    account = Account(charter_of(pinned, *WITNESSES), pinned)
    assert account.show(note(TRUTH, 8))
    account.show(note(TRUTH, 12))
    settle(account, TRUTH)
    assert not account.show(note(TRUTH, 8))
    assert account.held == see(note(TRUTH, 12), account.charter, pinned)
    assert not account.apart


def seen(history: Reference, size: int, *cosigned: tuple[int, int]) -> Seen:
    return see(note(history, size, *cosigned), CHARTER, LEDGER)


FORK = rewritten(4)


def doubting(size: int, *past: int) -> Holding:
    """One that holds the truth, and held it before, and doubts another history's nine entries."""
    apart = seen(FORK, 9)
    before = tuple(seen(TRUTH, each) for each in past)
    return Holding(seen(TRUTH, size), (apart,), None, before, frozenset({apart.checkpoint}))


def test_what_was_settled_is_no_suspicion_when_it_is_shown_again() -> None:
    """Whether it was held before or never: else two who tell each other of it would each doubt it again, for ever."""
    account = shown(note(TRUTH, 5), note(TRUTH, 9), note(TRUTH, 3))
    settle(account, TRUTH)
    assert account.show(note(TRUTH, 5, (0, 7))) is None
    assert account.show(note(TRUTH, 3)) is None
    assert account.apart == []
    assert account.held is not None
    assert account.held.size == 9
    account.show(note(TRUTH, 9, (1, 7)))
    assert sorted(account.held.said) == [WITNESSES[1].id]
    account.show(note(TRUTH, 12))
    settle(account, TRUTH)
    assert account.show(note(TRUTH, 9, (0, 7))) is None
    assert [sorted(seen.said) for seen in account.past] == [[WITNESSES[0].id], [each.id for each in WITNESSES[:2]]]
    with pytest.raises(Forked):
        account.show(note(rewritten(4), 9))


@pytest.mark.parametrize(
    ("notes", "lacks"),
    [
        pytest.param([], True, id="nothing held"),
        pytest.param([note(TRUTH, 9)], True, id="none"),
        pytest.param([note(TRUTH, 9, (0, 5)), note(TRUTH, 9, (0, 6))], True, id="one, twice"),
        pytest.param([note(TRUTH, 9, (0, 5)), note(TRUTH, 9, (2, 5))], False, id="two of three"),
    ],
)
def test_what_lacks_a_quorum_is_what_fewer_are_known_to_have_cosigned(notes: list[bytes], lacks: bool) -> None:
    """A ledger that can have no quorum lacks none."""
    assert shown(*notes).lacks_quorum == lacks
    assert not Account(charter_of(LEDGER, WITNESSES[0]), LEDGER).lacks_quorum


EVIDENCE = b"a file"


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [
        pytest.param(Holding(seen(TRUTH, 9)), Holding(), 1, id="none there"),
        pytest.param(Holding(seen(TRUTH, 9)), Holding(seen(TRUTH, 9)), 0, id="the same"),
        pytest.param(Holding(seen(TRUTH, 9)), Holding(seen(TRUTH, 8)), 1, id="a smaller one there"),
        pytest.param(Holding(seen(TRUTH, 8)), Holding(seen(TRUTH, 9)), 0, id="a larger one there"),
        pytest.param(Holding(seen(FORK, 9)), Holding(seen(TRUTH, 9)), 1, id="another of that size"),
        pytest.param(Holding(seen(TRUTH, 9, (0, 5))), Holding(seen(TRUTH, 9)), 1, id="a cosignature more"),
        pytest.param(Holding(seen(TRUTH, 9, (0, 6))), Holding(seen(TRUTH, 9, (0, 5))), 1, id="a newer one"),
        pytest.param(Holding(seen(TRUTH, 9, (0, 5))), Holding(seen(TRUTH, 9, (0, 6))), 0, id="an older one"),
        pytest.param(Holding(seen(TRUTH, 9), (seen(FORK, 7),)), Holding(seen(TRUTH, 9)), 1, id="one apart"),
        pytest.param(Holding(seen(TRUTH, 9)), Holding(seen(TRUTH, 3), (seen(TRUTH, 9),)), 0, id="apart there"),
        pytest.param(doubting(7), Holding(seen(FORK, 9)), 1, id="to whom is doubted"),
        pytest.param(doubting(7), Holding(seen(FORK, 12)), 1, id="to nobody else"),
        pytest.param(Holding(seen(TRUTH, 7), (seen(FORK, 9),)), Holding(seen(FORK, 9)), 0, id="not doubted yet"),
        pytest.param(doubting(7, 5, 6), Holding(seen(FORK, 9), (seen(TRUTH, 6),)), 2, id="and what was held before"),
        pytest.param(Holding(seen(TRUTH, 9), (), EVIDENCE), Holding(seen(TRUTH, 3)), 1, id="evidence"),
        pytest.param(Holding(seen(TRUTH, 9), (), EVIDENCE), Holding(None, (), EVIDENCE), 0, id="evidence there"),
        pytest.param(Holding(seen(TRUTH, 9)), Holding(None, (), EVIDENCE), 0, id="only there"),
    ],
)
def test_only_what_is_news_is_told(mine: Holding, theirs: Holding, told: int) -> None:
    """A checkpoint goes to who is behind or holds another, evidence to who has none; nothing else goes anywhere."""
    proven = [1] if theirs.evidence is not None else []
    fresh = news({1: mine}, list(theirs.lines(1)), proven)
    assert len(fresh.notes) + len(fresh.evidence) == told
    assert bool(fresh.evidence) == (mine.evidence is not None and not proven)


def told_of(size: int) -> SwapAnswer:
    """All there can be told of a ledger around a size, to who holds one of those that are doubted here."""

    def at(number: int) -> Seen:
        checkpoint = Checkpoint(LEDGER.origin, number, bytes([number % 251]) * 32)
        return see(sign_checkpoint(checkpoint, key_of(LEDGER.id, "node")), CHARTER, LEDGER)

    past = tuple(at(size - number) for number in range(PAST_MAX, 0, -1))
    apart = tuple(at(size + number) for number in range(1, 1 + APART_MAX))
    mine = {1: Holding(at(size), apart, None, past, frozenset(each.checkpoint for each in apart))}
    return SwapAnswer(line=lines_of(mine), note=news(mine, Holding(apart[0]).lines(1), ()).notes)


def test_what_is_told_of_a_ledger_does_not_grow_with_it() -> None:
    """Of ten entries or of ten million as many lines and notes, longer by no more than the sizes' own digits."""
    small, large = told_of(10), told_of(10**7)
    assert len(small.line) == len(large.line) == 1 + APART_MAX
    assert len(small.note) == len(large.note) == PAST_MAX + APART_MAX
    assert large.ByteSize() - small.ByteSize() <= (len(large.line) + len(large.note)) * len(str(10**7))
