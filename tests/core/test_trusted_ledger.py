"""What a client believes of a ledger: only what extends what it was shown, and no entry that is not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.entry import Entry
from tallystick.core.equivocation import verify_equivocation
from tallystick.core.errors import (
    Forked,
    MalformedEntry,
    MalformedNote,
    ProofFailed,
    RolledBack,
    SignatureInvalid,
    TallystickError,
    Unreconciled,
    VerificationFailed,
)
from tallystick.core.hashing import leaf_hash
from tallystick.core.merkle import EMPTY_ROOT, prove_inclusion, prove_range, root_of
from tallystick.core.trusted_ledger import TrustedLedger
from tests.harness.ledger_maker import LedgerMaker, charter_of, key_of, reader_of


def ledger() -> LedgerMaker:
    """Twelve entries."""
    maker = LedgerMaker().found()
    for count in (3, 1, 5):
        maker.record([maker.use() for _ in range(count)], "gateway")
    return maker


MAKER = ledger()
NAME = MAKER.bureau.id
SIZE = MAKER.size


def trusting(size: int | None = None) -> TrustedLedger:
    """A client that was shown the ledger at a size, or nothing yet."""
    return TrustedLedger(NAME, MAKER.bureau.ledger_verifier, None if size is None else MAKER.note(size))


def other_root(size: int) -> bytes:
    return root_of([leaf_hash(bytes([number])) for number in range(size)])


def refusal(kind: type[TallystickError], call: Callable[[], object]) -> TallystickError:
    with pytest.raises(kind) as caught:
        call()
    return caught.value


def bundle(client: TrustedLedger, first: int, raws: Sequence[bytes], path: Sequence[bytes]) -> list[Entry]:
    """Adjacent entries, checked and decoded."""
    client.check_raws(first, raws, path)
    return client.decode(first, raws)


@given(st.lists(st.integers(0, SIZE), max_size=6))
def test_a_ledger_that_only_grows_is_believed(sizes: list[int]) -> None:
    """Through any growing sizes, each shown with its proof, the client comes to trust the last."""
    client = trusting()
    for size in sorted(sizes):
        known = client.size
        shown = client.advance(MAKER.note(size), MAKER.consistency(known, size) if client.note else [])
        assert (shown.size, shown.root) == (size, MAKER.root(size))
        assert (client.size, client.checkpoint, client.note) == (size, shown, MAKER.note(size))


def test_a_client_goes_on_where_it_left_off() -> None:
    """A note that was kept is what a reopened client trusts; before any note there is no checkpoint to ask for."""
    client = trusting(5)
    assert (client.size, client.origin, client.name) == (5, MAKER.origin, NAME)
    assert trusting().size == 0
    assert trusting().note is None
    with pytest.raises(RuntimeError):
        _ = trusting().checkpoint


def test_a_kept_note_is_checked_too() -> None:
    """A kept note that is malformed, of another ledger or under another key is refused when it is opened."""
    other = LedgerMaker(bureau="taxation").found()
    for note in (b"", b"no note", MAKER.note(5)[:-2], other.note()):
        with pytest.raises(VerificationFailed):
            TrustedLedger(NAME, MAKER.bureau.ledger_verifier, note)


# 1


def test_only_the_ledgers_own_checkpoints_count() -> None:
    """A checkpoint under another key, or of another ledger, is refused with the bureau's name, and nothing changes."""
    client = trusting(5)
    impostor = sign_checkpoint(Checkpoint(MAKER.origin, SIZE, MAKER.root()), key_of("impostor"))
    other = LedgerMaker(bureau="taxation").found().note()
    proof = MAKER.consistency(5)
    for note in (impostor, other):
        error = refusal(SignatureInvalid, lambda note=note: client.advance(note, proof))  # type: ignore[misc]
        assert str(error).startswith(f"checkpoint of {NAME}: ")
    error = refusal(MalformedNote, lambda: client.advance(b"no note", proof))
    assert error.where.startswith(f"checkpoint of {NAME}")
    assert (client.size, client.note) == (5, MAKER.note(5))


def test_every_truncation_and_every_changed_byte_of_a_checkpoint_is_refused() -> None:
    """No shorter note and none with another byte is trusted."""
    note, proof = MAKER.note(), MAKER.consistency(5)
    for cut in range(len(note)):
        with pytest.raises(VerificationFailed):
            trusting(5).advance(note[:cut], proof)
    client = trusting(5)
    for at in range(len(note)):
        for bit in range(8):
            with pytest.raises(VerificationFailed):
                client.advance(note[:at] + bytes([note[at] ^ 1 << bit]) + note[at + 1 :], proof)


# 2 to 4


def test_a_rollback_is_named() -> None:
    """A smaller checkpoint is a rollback, and the sentence says who, how much, and what this client had seen."""
    client = trusting(9)
    for size in (0, 1, 8):
        error = refusal(RolledBack, lambda size=size: client.advance(MAKER.note(size), []))  # type: ignore[misc]
        assert f"{NAME} answers with {size} entries, and has shown this client 9 before" in str(error)
        assert error.known == 9
    assert client.size == 9


def test_a_fork_is_named_and_proven() -> None:
    """Another root at the same size is two histories under one key, whatever proof comes with it; the file shows it."""
    client = trusting(9)
    forked = MAKER.note(9, other_root(9))
    for proof in ([], MAKER.consistency(5, 9)):
        error = refusal(Forked, lambda proof=proof: client.advance(forked, proof))  # type: ignore[misc]
        assert f"the key of {NAME} signed two different histories of 9 entries" in str(error)
        assert error.known == 9
        assert proven_by(error) == (9, 9)
    assert client.note == MAKER.note(9)


@pytest.mark.parametrize("known", range(1, SIZE))
def test_a_proof_from_another_root_proves_a_fork(known: int) -> None:
    """A larger ledger shown to extend another one than the trusted is proof, once the other root is known.

    A proof tells it, except from a power of two; there it must be shown too, and a false one proves nothing.
    """
    client = TrustedLedger(NAME, MAKER.bureau.ledger_verifier, MAKER.note(known, other_root(known)))
    note, proof = MAKER.note(), MAKER.consistency(known)
    if not known & known - 1:
        for root in (None, bytes(32), other_root(known), b"short"):
            refusal(Unreconciled, lambda root=root: client.advance(note, proof, root))  # type: ignore[misc]
    error = refusal(Forked, lambda: client.advance(note, proof, MAKER.root(known)))
    assert f"the key of {NAME} signed two different histories of {known} and {SIZE} entries" in str(error)
    assert error.known == known
    assert proven_by(error) == (known, SIZE)
    assert client.note == MAKER.note(known, other_root(known))


def proven_by(error: TallystickError) -> tuple[int, int]:
    """The two sizes that the evidence an error carries proves to be of two histories, by the charter alone."""
    assert isinstance(error, Forked)
    bureau, proven = verify_equivocation(error.evidence, charter_of(MAKER.bureau))
    assert bureau == MAKER.bureau
    return proven.smaller.size, proven.larger.size


@pytest.mark.parametrize("known", range(1, SIZE))
def test_growth_without_proof_is_a_suspicion(known: int) -> None:
    """A larger checkpoint with no proof, a wrong one or one too long is unreconciled; the right proof clears it."""
    client = trusting(known)
    proof = MAKER.consistency(known)
    wrong = [[], proof[:-1], [*proof, bytes(32)], [bytes(32) for _ in proof], [b"" for _ in proof], proof[::-1]]
    for other in wrong:
        if other != proof:
            error = refusal(Unreconciled, lambda other=other: client.advance(MAKER.note(), other))  # type: ignore[misc]
            assert f"{NAME} does not show that its {SIZE} entries extend the {known} it signed before" in str(error)
            assert "suspicion" in str(error)
            assert error.known == known
    error = refusal(Unreconciled, lambda: client.advance(MAKER.note(SIZE, other_root(SIZE)), proof))
    assert client.size == known
    client.advance(MAKER.note(), proof)
    assert client.size == SIZE


def test_everything_extends_the_empty_ledger() -> None:
    """From size 0 on any ledger may grow, and the proof of that is empty."""
    client = trusting(0)
    refusal(Unreconciled, lambda: client.advance(MAKER.note(), [bytes(32)]))
    assert client.advance(MAKER.note(), []).size == SIZE
    assert MAKER.root(0) == EMPTY_ROOT


# 5


@pytest.mark.parametrize("index", range(SIZE))
def test_an_entry_is_shown_with_its_path(index: int) -> None:
    """Each entry is believed with its own path, under the trusted checkpoint or under one that passed."""
    client = trusting(SIZE)
    assert client.check_entry(index, MAKER.entries[index], MAKER.inclusion(index)).index == index
    older = trusting(SIZE - 1).checkpoint
    if index < older.size:
        found = client.check_entry(index, MAKER.entries[index], MAKER.inclusion(index, older.size), older)
        assert found.raw == MAKER.entries[index]


def test_an_entry_that_is_not_there_is_named() -> None:
    """Another entry, another index, a bent path or one beyond the checkpoint is not in what the node signed."""
    client = trusting(SIZE)
    raw, path = MAKER.entries[4], MAKER.inclusion(4)
    for index, entry, proof in (
        (5, raw, path),
        (4, MAKER.entries[5], path),
        (4, raw, path[:-1]),
        (4, raw, [*path, bytes(32)]),
        (4, raw + b"\x00", path),
        (SIZE, raw, path),
        (-1, raw, path),
    ):
        error = refusal(ProofFailed, lambda i=index, e=entry, p=proof: client.check_entry(i, e, p))  # type: ignore[misc]
        assert f"what was shown as {NAME}#{index} is not in the ledger its node signed" in str(error)
        assert error.where == f"{NAME}#{index}"


@given(st.data())
def test_adjacent_entries_are_shown_together(data: st.DataObject) -> None:
    """Any bundle is believed with its path; with one entry changed, left out or moved it is not."""
    first = data.draw(st.integers(0, SIZE - 1))
    end = data.draw(st.integers(first + 1, SIZE))
    client = trusting(SIZE)
    raws, path = MAKER.entries[first:end], prove_range(first, end, SIZE, MAKER.reader())
    assert [entry.index for entry in bundle(client, first, raws, path)] == list(range(first, end))
    at = data.draw(st.integers(0, len(raws) - 1))
    others = [*raws[:at], raws[at] + b"\x00", *raws[at + 1 :]], raws[:at] + raws[at + 1 :], [*raws, raws[at]]
    for other in others:
        error = refusal(ProofFailed, lambda other=other: bundle(client, first, other, path))  # type: ignore[misc]
        assert str(error).startswith(f"{NAME}#{first}: what was shown as {NAME}#{first}")
    refusal(ProofFailed, lambda: bundle(client, first + 1, raws, path))
    refusal(ProofFailed, lambda: bundle(client, first, raws, [*path, bytes(32)]))
    if len(raws) > 1:
        error = refusal(ProofFailed, lambda: bundle(client, first, raws[::-1], path))
        assert f"{NAME}#{first} to #{end - 1} is not in the ledger" in str(error)


def test_a_signed_tree_of_bad_entries_is_no_excuse() -> None:
    """What stands in the signed tree and is no entry, or calls itself another index, is malformed, and named."""
    entries = [*MAKER.entries[:4], b"no entry", MAKER.entries[4]]
    leaves = [leaf_hash(entry) for entry in entries]
    read = reader_of(leaves)
    note = sign_checkpoint(Checkpoint(MAKER.origin, len(entries), root_of(leaves)), MAKER.keys["node"])
    client = TrustedLedger(NAME, MAKER.bureau.ledger_verifier, note)
    for index, what in ((4, "does not parse"), (5, "calls itself #4")):
        path = prove_inclusion(index, len(entries), read)
        error = refusal(MalformedEntry, lambda i=index, p=path: client.check_entry(i, entries[i], p))  # type: ignore[misc]
        assert str(error).startswith(f"{NAME}#{index}")
        assert what in str(error)
    path = prove_range(3, 6, 6, read)
    assert str(refusal(MalformedEntry, lambda: bundle(client, 3, entries[3:], path))).startswith(f"{NAME}#4")
