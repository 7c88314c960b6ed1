"""A node that lies is named in one sentence, nothing it said is believed, and what proves the lie is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.errors import (
    ConfigInvalid,
    MalformedEntry,
    MalformedNote,
    ProofFailed,
    RolledBack,
    SignatureInvalid,
    Unreconciled,
    VerificationFailed,
)
from tallystick.core.hashing import leaf_hash
from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.merkle import root_of
from tallystick_proto.v1.ledger_pb2 import Bundle, CheckpointAnswer
from tests.harness.desk import Desk, desk_in
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office

Lie = Callable[[Any], Any]
CLERK = (TERM_FIELDS["actor"], b"market:clerk")
RESOURCE = TERM_FIELDS["resource"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as made:
        yield made


# Nodes that lie about the whole: what they sign.


def rolls_back(desk: Desk) -> Lie:
    return lambda answer: setattr(answer, "checkpoint", desk.signed(20))


def rolls_back_to_nothing(desk: Desk) -> Lie:
    return lambda answer: setattr(answer, "checkpoint", desk.signed(0))


def forks_ahead(desk: Desk) -> Lie:
    return lambda answer: setattr(answer, "checkpoint", desk.forged(30))


def proves_nothing(desk: Desk) -> Lie:
    desk.record(7)
    return lambda answer: answer.ClearField("consistency")


def bends_the_proof(desk: Desk) -> Lie:
    desk.record(7)

    def lie(answer: Any) -> None:
        answer.consistency[0] = bytes(32)

    return lie


def adds_to_the_proof(desk: Desk) -> Lie:
    desk.record(7)
    return lambda answer: answer.consistency.append(bytes(32))


@pytest.mark.parametrize(
    ("lying", "error", "says"),
    [
        (rolls_back, RolledBack, "market answers with 20 entries, and has shown this client 23 before"),
        (rolls_back_to_nothing, RolledBack, "market answers with 0 entries"),
        (forks_ahead, Unreconciled, "market does not show that its 30 entries extend the 23"),
        (proves_nothing, Unreconciled, "market does not show that its 30 entries extend the 23"),
        (bends_the_proof, Unreconciled, "market does not show"),
        (adds_to_the_proof, Unreconciled, "market does not show"),
    ],
)
def test_a_node_that_contradicts_itself_is_named_and_both_notes_are_kept(
    desk: Desk, lying: Callable[[Desk], Lie], error: type[VerificationFailed], says: str
) -> None:
    """Rolled back or unreconciled: one sentence names the bureau, trust stands, and the two notes are kept."""
    reader = desk.reader()
    reader.refresh()
    note = reader.trusted.note
    desk.node.lies["GetCheckpoint"] = lying(desk)
    for ask in (reader.refresh, lambda: list(reader.entries()), lambda: list(reader.find([CLERK]))):
        with pytest.raises(error, match=says) as raised:
            ask()
        assert raised.value.known == 23
        assert "\n" not in str(raised.value)
    assert reader.trusted.note == note
    assert desk.trust.load(desk.office.origin) == note
    kept = {path.read_bytes() for path in desk.trust.folder.glob("*+conflict-*.note")}
    assert len(kept) == 1
    assert [path.read_bytes() for path in desk.trust.folder.glob("*+trusted-*.note")] == [note]
    desk.node.lies.clear()
    assert reader.refresh().size >= 23


def test_a_rollback_behind_another_command_is_found(desk: Desk) -> None:
    """Where a node no longer has what it signed for another session, that is RolledBack and not a missing page."""
    slow, fast = desk.reader(), desk.reader()
    slow.refresh()
    slow.remember()
    slow._remembered_at = float("inf")
    desk.trust.save(desk.office.origin, desk.forged(40))
    assert fast is not slow
    desk.record()
    answer = slow.wire.checkpoint(23)
    slow.follow(slow.known(), answer.checkpoint, answer.consistency)
    with pytest.raises(RolledBack, match="market has signed 40 entries, and does not have them"):
        slow.remember()


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"garbage",
        b"\xff\xfe",
        Office("taxation").note(0, bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")),
    ],
)
def test_a_kept_note_that_does_not_read_is_this_clients_own_fault(desk: Desk, kept: bytes) -> None:
    """A trust file that was cut, or is another ledger's, is ConfigInvalid naming its folder, and accuses nobody."""
    with desk.trust.replacing(desk.office.origin):
        desk.trust.save(desk.office.origin, kept)
    with pytest.raises(ConfigInvalid, match="trust"):
        desk.reader()


# Nodes that lie about entries.


def entries(desk: Desk) -> Callable[[], object]:
    reader = desk.reader()
    return lambda: list(reader.entries(4, 12))


def found(desk: Desk) -> Callable[[], object]:
    reader = desk.reader()
    return lambda: list(reader.find([CLERK], first=4, end=12))


def found_backwards(desk: Desk) -> Callable[[], object]:
    reader = desk.reader()
    return lambda: list(reader.find([CLERK], newest_first=True, limit=3))


def one_found(desk: Desk) -> Callable[[], object]:
    reader = desk.reader()
    return lambda: list(reader.find([(RESOURCE, b"R-4")]))


def one_entry(desk: Desk) -> Callable[[], object]:
    reader = desk.reader()
    return lambda: reader.entry(7)


def set_entry(bundle: Bundle, change: Callable[[bytes], bytes]) -> None:
    bundle.entry[len(bundle.entry) // 2] = change(bundle.entry[len(bundle.entry) // 2])


def honest_bundle(desk: Desk, first: int, end: int) -> Bundle:
    """What the node would truly show of other entries."""
    lies = dict(desk.node.lies)
    desk.node.lies.clear()
    (bundle,) = desk.writer.read_entries(first, end, 23)
    desk.node.lies.update(lies)
    return bundle


def shows(first: int, end: int) -> Callable[[Desk], Lie]:
    """Shows other entries than were asked for, truly proven."""

    def make(desk: Desk) -> Lie:
        bundle = honest_bundle(desk, first, end)
        return lambda answer: [bundle]

    return make


def shown(answer: object) -> Lie:
    """Shows this, whatever the question."""
    return lambda _: answer


def bends(change: Callable[[Bundle], object]) -> Callable[[Desk], Lie]:
    return lambda desk: lambda answer: change(answer) and None


def flip(raw: bytes) -> bytes:
    at = len(raw) // 2
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


ALTERED = bends(lambda bundle: set_entry(bundle, flip))
CASES: dict[str, tuple[Callable[[Desk], Callable[[], object]], Callable[[Desk], Lie], str]] = {
    "an altered entry": (entries, ALTERED, "is not in the ledger its node signed"),
    "an altered entry found": (found, ALTERED, "is not in the ledger its node signed"),
    "an altered entry asked for alone": (one_entry, ALTERED, r"market#7 is not in the ledger"),
    "garbage for an entry": (entries, bends(lambda b: set_entry(b, lambda raw: b"\xff\xff")), "is not in the ledger"),
    "an empty entry": (found, bends(lambda b: set_entry(b, lambda raw: b"")), "is not in the ledger"),
    "a bent path": (entries, bends(lambda b: b.path.__setitem__(0, bytes(32))), "is not in the ledger"),
    "a cut hash": (entries, bends(lambda b: b.path.__setitem__(0, b"x")), "is not in the ledger"),
    "no path": (entries, bends(lambda b: b.ClearField("path")), "is not in the ledger"),
    "a path too long": (found, bends(lambda b: b.path.append(bytes(32))), "is not in the ledger"),
    "another index": (one_entry, bends(lambda b: setattr(b, "first", 8)), "answered 1 entries from #8"),
    "another entry, proven": (one_entry, shows(8, 9), "answered 1 entries from #8"),
    "entries under another index": (found, bends(lambda b: setattr(b, "first", b.first + 1)), "is not in the ledger"),
    "an index beyond everything": (found, bends(lambda b: setattr(b, "first", 2**63)), "is not in the ledger"),
    "a range left short": (entries, shows(4, 11), r"answered entries up to #11; expected up to #12"),
    "nothing at all": (entries, lambda desk: lambda answer: [], r"answered entries up to #4"),
    "nothing for one": (one_entry, lambda desk: lambda answer: [], "answered"),
    "a range begun late": (entries, shows(5, 12), "answered 7 entries from #5"),
    "more than asked for": (entries, shows(4, 13), "answered 9 entries from #4"),
    "the same twice": (entries, lambda desk: lambda answer: [answer, answer], "answered 8 entries from #4"),
    "the same found twice": (found, lambda desk: lambda answer: [answer, answer], r"answered #4 after #11"),
    "an empty bundle": (entries, lambda desk: lambda answer: [Bundle(first=4), answer], "answered 0 entries"),
    "an entry without the term": (one_found, shows(8, 9), r"answered #8; expected entries that carry"),
    "entries before the range": (found, shows(3, 12), r"answered #3; expected entries that carry"),
    "entries after the range": (found, shows(4, 13), r"answered #12; expected entries that carry"),
    "out of order": (found_backwards, shows(20, 23), r"answered #21 after #20"),
    "a later checkpoint unasked": (
        found,
        bends(lambda b: setattr(b, "checkpoint", b"anything")),
        "answered a later checkpoint",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_node_that_shows_what_is_not_so_is_named(desk: Desk, name: str) -> None:
    """Altered, moved, missing, repeated or unasked-for entries: one sentence names the bureau, and trust stands."""
    asking, lying, says = CASES[name]
    ask = asking(desk)
    ask()
    note = desk.trust.load(desk.office.origin)
    lie = lying(desk)
    desk.node.lies["ReadEntries"] = desk.node.lies["Find"] = lie
    with pytest.raises(ProofFailed, match=says) as raised:
        ask()
    assert "market" in str(raised.value)
    assert "\n" not in str(raised.value)
    desk.node.lies.clear()
    assert desk.trust.load(desk.office.origin) == note
    ask()


def test_an_entry_that_never_was_one_is_named(tmp_path: Path) -> None:
    """Bytes truly in the signed tree that are no entry, or call themselves another, are MalformedEntry there."""
    with LyingNode(Home(tmp_path)) as node:
        desk = Desk(node, tmp_path)
        raws = [b"no entry", node.sequencer.ledger.entry(0)]
        note = desk.office.note(2, root_of([leaf_hash(raw) for raw in raws]))
        node.lies["GetCheckpoint"] = shown(CheckpointAnswer(checkpoint=note))
        for index, says in ((0, "market#0"), (1, "calls itself #0")):
            bundle = Bundle(first=index, entry=[raws[index]], path=[leaf_hash(raws[1 - index])], size=2)
            node.lies["ReadEntries"] = shown([bundle])
            with pytest.raises(MalformedEntry, match=says):
                desk.reader().entry(index)
        for reader in desk.open:
            reader.close()
        desk.writer.close()


Change = Callable[[Any, str], object]
SIGNATURE = ("presence", "authorship", "signature")
REGISTERED = ("presence", "registration", "authorship", "signature")


def at(*path: str, change: Change) -> Lie:
    """Bends the field at the end of a path."""

    def lie(answer: Any) -> None:
        *owners, name = path
        for owner in owners:
            answer = getattr(answer, owner)
        change(answer, name)

    return lie


def sets(value: object) -> Change:
    return lambda owner, name: setattr(owner, name, value)


def clears(owner: Any, name: str) -> None:
    owner.ClearField(name)


def flips(owner: Any, name: str) -> None:
    setattr(owner, name, flip(getattr(owner, name)))


def lengthens(owner: Any, name: str) -> None:
    getattr(owner, name).append(bytes(32))


def spoils(owner: Any, name: str) -> None:
    getattr(owner, name).insert(0, b"x")


def presences() -> dict[str, Lie]:
    """One field of a presence bent at a time."""
    bent: list[tuple[tuple[str, ...], str, Change]] = [
        (("presence", "registration", "index"), "2", sets(2)),
        (("presence", "registration", "index"), "far off", sets(2**63)),
        (("presence", "registration"), "gone", clears),
        (("presence", "authorship"), "gone", clears),
        (("presence",), "gone", clears),
    ]
    for where in (("presence", "entry"), ("presence", "registration", "entry")):
        bent += [(where, repr(value), sets(value)) for value in (b"", b"\xff\xff", b"\x08\x07")]
        bent.append((where, "flipped", flips))
    for of in (SIGNATURE, REGISTERED):
        bent += [((*of, "key"), repr(value), sets(value)) for value in (bytes(32), b"x")]
        bent += [((*of, "signature"), repr(value), sets(value)) for value in (bytes(64), b"")]
        bent += [((*of, "submission_id"), repr(value), sets(value)) for value in (bytes(16), b"\xff")]
        bent += [((*of, "count"), str(value), sets(value)) for value in (0, 3, 2**32 - 1)]
    for hashes in (("inclusion",), (*SIGNATURE[:2], "path"), (*REGISTERED[:2], "inclusion"), (*REGISTERED[:3], "path")):
        bent += [(hashes, "longer", lengthens), (hashes, "spoiled", spoils)]
    return {f"{'.'.join(path)} {how}": at(*path, change=change) for path, how, change in bent}


@pytest.mark.parametrize("name", presences())
def test_every_bent_field_of_a_presence_is_named(desk: Desk, name: str) -> None:
    """Whatever single field of a proof of authorship is bent, the entry is named and nothing is believed."""
    reader = desk.reader()
    assert reader.show(9).reference == "market#9"
    note = reader.trusted.note
    desk.node.lies["ProvePresence"] = presences()[name]
    for ask in (reader.show, reader.prove):
        with pytest.raises(VerificationFailed, match="market#9") as raised:
            ask(9)
        assert "\n" not in str(raised.value)
    assert reader.trusted.note == note


def test_garbage_for_a_checkpoint_is_named(desk: Desk) -> None:
    """Bytes that are no note, cut notes, and notes by another key or of another ledger are refused by name."""
    reader = desk.reader()
    reader.refresh()
    note = reader.trusted.note or b""
    other = Office("taxation")
    bad = [b"", b"\xff", b"\n\n", os.urandom(200), note[:-2], note[1:], flip(note), other.note(30, bytes(32))]
    for garbage in bad:
        desk.node.lies["GetCheckpoint"] = at("checkpoint", change=sets(garbage))
        with pytest.raises((MalformedNote, SignatureInvalid), match="market"):
            reader.refresh()
    assert reader.trusted.note == note


def test_a_follower_is_not_led_astray(desk: Desk) -> None:
    """Later checkpoints of a stream are held to the same: none that forks, rolls back or is not proven."""
    bends: list[tuple[Change, type[VerificationFailed]]] = [
        (sets(desk.signed(20)), RolledBack),
        (sets(desk.forged(60)), Unreconciled),
        (sets(b"garbage"), MalformedNote),
        (lambda bundle, name: bundle.ClearField("consistency"), Unreconciled),
    ]
    for change, error in bends:
        desk.node.lies["Find"] = later(change)
        reader = desk.reader()
        stream = reader.find([CLERK], first=22, follow=True)
        next(stream)
        size = reader.trusted.size
        desk.record(2)
        with pytest.raises(error, match="market"):
            list(stream)
        assert reader.trusted.size == size


def later(change: Change) -> Lie:
    """Bends the checkpoints that come along a stream."""
    return lambda bundle: change(bundle, "checkpoint") and None if bundle.checkpoint else None
