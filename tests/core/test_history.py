"""A ledger's history: lawful ones pass however they are read, and each unlawful change is named where it stands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.entry import decode_entry
from tallystick.core.errors import (
    ChainBroken,
    CharterMismatch,
    MalformedEntry,
    SignatureInvalid,
    TallystickError,
)
from tallystick.core.evidence import actors_of
from tallystick.core.hashing import chain_hash, genesis_hash
from tallystick.core.history import History
from tallystick.core.submission import prepare
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import Head, Statement
from tests.harness.encodings import field
from tests.harness.ledger_maker import LedgerMaker, Made, chain, key_of


def ledger() -> LedgerMaker:
    """Ten entries: the founding three, then submissions of three, one and three lookups."""
    maker = LedgerMaker().found()
    for count in (3, 1, 3):
        maker.record([maker.use() for _ in range(count)], "gateway")
    return maker


def history_of(maker: LedgerMaker) -> History:
    return History(actors_of(maker.bureau))


def refused(maker: LedgerMaker, entries: list[bytes], index: int, kind: type[TallystickError]) -> str:
    """The sentence with which entries are refused at one index; all before it were taken, and it was not."""
    history = history_of(maker)
    with pytest.raises(kind) as caught:
        history.extend(entries)
    assert caught.value.where.startswith(f"{maker.origin}#{index}")
    assert history.size == index
    return str(caught.value)


@given(
    seed=st.integers(0, 2**32),
    counts=st.lists(st.integers(1, 7), max_size=6),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_a_lawful_ledger_passes_however_it_is_read(seed: int, counts: list[int], cuts: list[int]) -> None:
    """Entry by entry, whole, or cut anywhere, a lawful ledger has the same size, root, last hash and actors."""
    maker = LedgerMaker(seed).found()
    for count in counts:
        by = maker.random.choice(["clerk", "gateway"])
        maker.record([maker.use(by) for _ in range(count)], by)
    entries = maker.entries
    history = history_of(maker)
    assert (history.size, history.complete, history.prev) == (0, True, genesis_hash(maker.origin))
    ends = {3, 1, 0} | {3 + sum(counts[:n]) for n in range(len(counts) + 1)}
    places = sorted({0, len(entries), *(cut for cut in cuts if cut < len(entries))})
    for start, stop in pairwise(places):
        checked = history.extend(entries[start:stop])
        assert [recorded.entry.raw for recorded in checked] == entries[start:stop]
        assert history.complete == (stop in ends)
        assert history.prev == chain_hash(entries[stop - 1])
    assert history.size == len(entries)
    assert history.tree.root() == maker.root()
    assert history.recorded_at_us == maker.made[-1].at_us
    assert {each.actor for each in history.actors} == {maker.actor(name) for name in maker.keys if name != "witness"}


def test_entries_come_back_read() -> None:
    """Every entry is handed back decoded, with its statement's kind."""
    maker = ledger()
    checked = history_of(maker).extend(maker.entries)
    kinds = [recorded.read.kind.name for recorded in checked if recorded.read.kind is not None]
    assert kinds == ["CharterAdopted", "ActorRegistered", "ActorRegistered", *["DataUsed"] * 7]
    assert [recorded.entry.first for recorded in checked] == [0, 1, 1, 3, 3, 3, 6, 7, 7, 7]


Change = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    ("change", "index"),
    [
        (lambda e: [*e[:4], e[5], e[4], *e[6:]], 4),
        (lambda e: [*e[:4], *e[5:]], 4),
        (lambda e: [*e[:5], e[4], *e[5:]], 5),
        (lambda e: e[1:], 0),
        (lambda e: [*e, e[0]], 10),
        (lambda e: [*e, *e[7:]], 10),
        (lambda e: [e[0], *e[3:]], 1),
    ],
    ids=["swapped", "dropped", "doubled", "headless", "begun again", "submission doubled", "submission dropped"],
)
def test_stored_entries_stand_where_they_were_recorded(change: Change, index: int) -> None:
    """Entries in another order, missing or twice break the chain at the first that is out of place."""
    maker = ledger()
    assert "calls itself" in refused(maker, change(maker.entries), index, ChainBroken)


@pytest.mark.parametrize("index", range(10))
def test_another_byte_anywhere_is_refused_here_or_by_its_neighbour(index: int) -> None:
    """A changed byte is refused at its entry, at the next by its prev, or at its submission's end by the signature."""
    maker = ledger()
    entries = maker.entries
    for at in range(0, len(entries[index]), 3):
        changed = bytearray(entries[index])
        changed[at] ^= 1
        history = history_of(maker)
        others = [*entries[:index], bytes(changed), *entries[index + 1 :]]
        if index < 9:
            with pytest.raises(TallystickError, match=rf"^{maker.origin}#({index}|{index + 1}): "):
                history.extend(others)
        else:  # nothing comes after the last entry: its time is held by the signed tree alone
            with suppress(TallystickError):
                history.extend(others)
                assert history.tree.root() != maker.root()


Bend = Callable[[LedgerMaker, list[Made]], list[Made]]


def bent(made: list[Made], index: int, **changes: object) -> list[Made]:
    return [replace(each, **changes) if at == index else each for at, each in enumerate(made)]  # type: ignore[arg-type]


def other_statement(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    return bent(made, 4, statement=maker.use())


def other_signature(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    return bent(made, 3, signature=made[7].signature)


def swapped(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    return bent(bent(made, 4, statement=made[5].statement), 5, statement=made[4].statement)


def time_turned_back(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    return bent(made, 4, at_us=made[3].at_us - 1)


def torn(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    return [each if at < 5 else replace(each, first=each.first - 1) for at, each in enumerate(made) if at != 5]


def longer(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    return [*made[:6], replace(made[5]), *made[6:]]


def wrong_first(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    return bent(made, 5, first=4)


def signed_twice(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    return bent(made, 4, is_first=True)


def replayed(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    again = [replace(each, first=10, at_us=made[-1].at_us) for each in made[3:6]]
    return [*made, *again]


@pytest.mark.parametrize(
    ("bend", "index", "kind", "what"),
    [
        (other_statement, 5, SignatureInvalid, "does not verify"),
        (other_signature, 5, SignatureInvalid, "does not verify"),
        (swapped, 5, SignatureInvalid, "does not verify"),
        (time_turned_back, 4, ChainBroken, "recorded at"),
        (torn, 5, MalformedEntry, "interrupts a submission"),
        (longer, 6, MalformedEntry, "a submission at #3 that is over"),
        (wrong_first, 5, MalformedEntry, "expected first = 3"),
        (signed_twice, 4, MalformedEntry, "interrupts a submission"),
        (replayed, 10, MalformedEntry, "was recorded before"),
    ],
)
def test_a_ledger_chained_anew_around_a_change_is_refused(
    bend: Bend, index: int, kind: type[TallystickError], what: str
) -> None:
    """A node that changes what an actor signed, and chains everything anew, is refused at the entry that shows it."""
    maker = ledger()
    entries = chain(maker.origin, bend(maker, maker.made))
    assert what in refused(maker, entries, index, kind)


def test_every_prev_is_checked() -> None:
    """An entry chained to another past is refused, entry 0 of another ledger's genesis among them."""
    maker, other = ledger(), LedgerMaker(bureau="taxation")
    assert "prev is" in refused(maker, chain(other.origin, maker.made), 0, ChainBroken)
    longer_past = [*maker.made[:6], *bent(maker.made, 6, at_us=maker.made[6].at_us + 1)[6:]]
    mixed = [*maker.entries[:7], *chain(maker.origin, longer_past)[7:]]
    assert "the hash of the entry before" in refused(maker, mixed, 7, ChainBroken)


def test_a_signature_is_of_one_ledger() -> None:
    """What was signed for another ledger does not verify on this one."""
    maker, other = LedgerMaker(), LedgerMaker(bureau="taxation").found()
    assert "does not verify" in refused(maker, chain(maker.origin, other.made), 0, SignatureInvalid)


def recorded(maker: LedgerMaker, statements: list[bytes], by: str, **options: object) -> None:
    maker.record(maker.submission(statements, by, **options), by)  # type: ignore[arg-type]


def test_an_author_is_registered_before_and_not_revoked() -> None:
    """A key never registered, registered in the same submission or later, or revoked before, is refused."""
    stranger = ledger()
    recorded(stranger, [stranger.use("clerk")], "clerk", key=key_of("stranger"))
    assert "not registered" in refused(stranger, stranger.entries, 10, SignatureInvalid)

    early = LedgerMaker()
    early.record([early.say("adopt_charter", "node", version=1, digest=bytes(32))], "node")
    early.record([early.use()], "gateway")
    early.record([early.registers("gateway", Role.SYSTEM)], "registrar")
    assert "not registered" in refused(early, early.entries, 1, SignatureInvalid)

    late = ledger()
    late.record([late.revokes("gateway")], "registrar")
    late.record([late.use("clerk")], "clerk")
    late.record([late.use(), late.use()], "gateway")
    assert "was revoked at #10" in refused(late, late.entries, 13, SignatureInvalid)


def test_an_author_speaks_for_itself_and_within_its_role() -> None:
    """A key under another's name, or a kind its role may not say, is refused at the submission's last entry."""
    borrowed = ledger()
    recorded(borrowed, [borrowed.use("clerk")], "clerk", key=borrowed.keys["gateway"])
    assert "belongs to" in refused(borrowed, borrowed.entries, 10, SignatureInvalid)

    maker = ledger()
    for by, statement in (
        ("gateway", maker.say("deny", "gateway", request=maker.ref(3), reason="no")),
        ("clerk", maker.say("adopt_charter", "clerk", version=2, digest=bytes(32))),
        ("node", maker.use("node")),
        ("registrar", maker.use("registrar")),
    ):
        unfit = ledger()
        recorded(unfit, [statement], by)
        assert "may not say" in refused(unfit, unfit.entries, 10, SignatureInvalid)
    node = ledger()
    registers = Statement.FromString(node.registers("other"))
    registers.head.actor = node.actor("node")
    recorded(node, [registers.SerializeToString()], "node")
    assert "may not say ActorRegistered" in refused(node, node.entries, 10, SignatureInvalid)


@pytest.mark.parametrize("named", ["node", "registrar"])
def test_a_key_of_the_charters_that_it_does_not_name_proves_nothing(named: str) -> None:
    """A later version may name another key of the node or the registrar: no word against the ledger, and no entry."""
    maker = ledger()
    said = (
        maker.registers("other")
        if named == "registrar"
        else maker.say("adopt_charter", "node", version=2, digest=bytes(32))
    )
    recorded(maker, [said], named, key=key_of("the next"))
    assert "this charter does not name" in refused(maker, maker.entries, 10, CharterMismatch)


def test_a_submission_is_taken_whole_or_not_at_all() -> None:
    """Where its second registration fails, the first registers nobody; the history goes on with another entry."""
    maker = ledger()
    lawful = maker.registers("other")
    maker.record([lawful, maker.registers("clerk", key=maker.keys["other"])], "registrar")
    history = history_of(maker)
    with pytest.raises(SignatureInvalid, match=r"#11: registration of .*: the key stands under"):
        history.extend(maker.entries)
    assert history.actors.by_key(maker.keys["other"].public) is None
    assert (history.size, history.complete) == (11, False)


def bad_end(maker: LedgerMaker, made: list[Made]) -> list[Made]:
    return bent(made, 5, statement=maker.use())


@pytest.mark.parametrize("bend", [time_turned_back, wrong_first, signed_twice, bad_end, replayed])
def test_a_refused_entry_leaves_no_trace(bend: Bend) -> None:
    """After a refusal the right entry is taken in the wrong one's place, and the ledger ends as if nothing had been."""
    maker = ledger()
    history = history_of(maker)
    with pytest.raises(TallystickError):
        history.extend(chain(maker.origin, bend(maker, maker.made)))
    maker.record([maker.use()], "gateway")
    history.extend(maker.entries[history.size :])
    assert (history.size, history.complete, history.tree.root()) == (11, True, maker.root())


def test_actors_do_not_share_ids() -> None:
    """Ids are scoped to their actor: two actors may have used the same, one actor may not."""
    maker = ledger()
    id_ = maker.new_id()
    for by in ("clerk", "gateway"):
        recorded(maker, [maker.use(by)], by, id=id_)
    history_of(maker).extend(maker.entries)
    recorded(maker, [maker.use("clerk")], "clerk", id=id_)
    assert "was recorded before" in refused(maker, maker.entries, 12, MalformedEntry)


def test_one_submission_has_one_actor() -> None:
    """Statements of two actors under one signature are refused."""
    maker = ledger()
    submission = maker.submission([maker.use("clerk"), maker.use("gateway")], "clerk")
    pieces = [maker.use("clerk"), maker.use("gateway")]
    signature = submission.signature
    for position, statement in enumerate(pieces):
        maker.made.append(Made(maker.now_us, statement, signature, 10, position == 0))
    assert "speaks for two actors" in refused(maker, maker.entries, 11, MalformedEntry)


def test_a_malformed_entry_or_statement_is_named() -> None:
    """What does not parse, and a statement that breaks its kind's description, are malformed where they stand."""
    maker = ledger()
    assert "does not parse" in refused(maker, [*maker.entries, b"\xff"], 10, MalformedEntry)
    wrong = Statement.FromString(maker.use())
    wrong.data_used.ClearField("purpose")
    statement = wrong.SerializeToString()
    signature = maker.submission([statement], "gateway").signature
    maker.made.append(Made(maker.now_us, statement, signature, 10, True))
    assert "purpose is missing" in refused(maker, maker.entries, 10, MalformedEntry)


def test_a_later_kind_is_verified_though_not_understood() -> None:
    """A kind, or a field, that this version does not know is no fault: its author is checked, and it is counted."""
    maker = ledger()
    head = Head(kind=99, actor=maker.actor("gateway"))
    later = [field(1, head.SerializeToString()) + field(99, b"later"), maker.use() + field(1_000, 1)]
    signature = maker.submission(later, "gateway").signature
    maker.made += [Made(maker.now_us, each, signature, 10, at == 0) for at, each in enumerate(later)]
    recorded_ = history_of(maker).extend(maker.entries)[10:]
    assert [each.read.understood for each in recorded_] == [False, False]
    maker.made[10:] = bent(maker.made, 10, signature=maker.submission(later[:1], "gateway").signature)[10:11]
    history_of(maker).extend(maker.entries)
    maker.made[10] = replace(maker.made[10], statement=later[0] + b"\xc0\x3e\x01")
    assert "does not verify" in refused(maker, maker.entries, 10, SignatureInvalid)


def test_what_a_maker_records_is_what_a_node_would() -> None:
    """The ledgers of these tests are made of submissions that admission takes, and decode as they were made."""
    maker = ledger()
    again = LedgerMaker().found()
    assert again.entries == maker.entries[:3]
    assert [decode_entry(raw).statement for raw in maker.entries] == [made.statement for made in maker.made]
    assert prepare(maker.submission([maker.use()], "gateway"), maker.origin).count == 1


@pytest.mark.parametrize("at", [3, 6, 7, 10])
def test_a_history_goes_on_from_where_a_submission_ended(at: int) -> None:
    """Resumed with what was known there, it ends as one that began at the first, and knows a submission replayed."""
    maker = ledger()
    entries = maker.entries
    before, whole = history_of(maker), history_of(maker)
    before.extend(entries[:at])
    whole.extend(entries)
    known = {(maker.actor("gateway"), made.signature.submission_id) for made in maker.made[:at]}

    def resumed() -> History:
        state = before.actors, before.tree, before.prev, before.recorded_at_us
        return History.resumed(*state, lambda actor, submission_id: (actor, submission_id) in known)

    history = resumed()
    history.extend(entries[at:])
    assert (history.size, history.prev, history.tree.root()) == (whole.size, whole.prev, whole.tree.root())
    assert (before.size, before.tree.root()) == (at, maker.root(at))
    if at > 3:
        again = [*maker.made[:at], *(replace(made, first=at, at_us=maker.now_us) for made in maker.made[3:6])]
        with pytest.raises(MalformedEntry, match="recorded before"):
            resumed().extend(chain(maker.origin, again)[at:])


def test_what_is_whole_is_counted_to_the_last_submissions_end() -> None:
    """Entries of a submission that goes on are not among those that are whole."""
    maker = ledger()
    history = history_of(maker)
    wholes = []
    for entry in maker.entries:
        history.extend([entry])
        wholes.append(history.whole_size)
    assert wholes == [1, 1, 3, 3, 3, 6, 7, 7, 7, 10]
