"""Evidence of equivocation: one file that proves, offline, that one ledger's key signed two histories.

It is two signed checkpoints, *A* and *B*, that no one ledger can have. As text:

    tallystick/equivocation/v1
    root <base64>            only where their sizes differ: R', the root of A's size in B's history,
    <base64>                 and the consistency proof (RFC 6962, 2.1.2) from R' to B, a hash a line
                             blank line
    <note A>                 the smaller checkpoint; of equal sizes, the one that comes first in byte order
                             blank line
    <note B>                 the larger or other checkpoint, to the end of the file

A whole one, by a key whose seed is SHA-256 of `ledger`: at size 1 the leaf was `a`, and in the history of size 2 it
is `b`, before `c`. The proof is then the leaf hash of `c` alone:

    tallystick/equivocation/v1
    root V+s1YV1H807HFMrN9f10YIpejhAnJOgLJLKHwMJ7ajE=
    WX/LMSgtNGVMIA00GPylcFxkjr8ybsc9jd7xGEH4dtg=

    pudong.example/ledger
    1
    Aippeebat6pa5MPl5F9+l3ESp+Y1k4INvsHsc4ok+Tw=

    — pudong.example/ledger tz0rFUogpqvmllh4GfnFe/KCQnmFbOVPEhQMUGsiN32bSyt+7W+qRo1SGdL6/5Vz4HpF4OuDG67EjX5MK34pnTfu5AM=

    pudong.example/ledger
    2
    petue8+q/0lXw0Lgy/6IIJ2+IFj8Pho0VcwHGSLIV0E=

    — pudong.example/ledger tz0rFYYZDh+xdy128+EzP/6KYw4CSy1oASqeLFjs/lvFUmkpVhizwhyEWGj2ttew8dl2FojC9DKsFk6aShCACes2+gI=

Such a file is valid if and only if it is written so, to the byte, and

  1. the notes parse strictly, name one origin, and each carries the signature of one key of that ledger; a key that the
     charter retired vouches for both; any other signature is that of a witness in the charter and verifies, so that no
     byte of a file goes unchecked;
  2. A has an entry at least, since everything extends an empty ledger;
  3. of equal sizes, the roots differ; of different sizes, R' is not the root in A, and the proof leads from R' to the
     root in B.

It proves that the *key* signed two histories: not who held it, not which of the two is true, not that it was meant (two
writers under one key do the same). A proof that is refused, or fails, is never evidence. Of a witness that cosigned
both notes it proves the same: it said of each that it held all of it, and that it extends what it held. Whoever makes a
file keeps the cosignatures of those alone, of each the earliest, and leaves all other signatures away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.errors import Forked, MalformedNote, MalformedProof, NotFound, ProofFailed, SignatureInvalid
from tallystick.core.limits import EVIDENCE_BYTES_MAX, HASH_BYTES, PROOF_HASHES_MAX
from tallystick.core.merkle import check_consistency, consistency_root
from tallystick.core.note import (
    Note,
    NoteSignature,
    VerifierKey,
    check_note_signature,
    decode_base64,
    encode_base64,
    format_note,
    open_note,
    parse_note,
)

HEADER: Final = "tallystick/equivocation/v1"
COSIGNERS_KEPT_MAX: Final = 16
"""So many witnesses that cosigned both are kept in a file: it is to fit into an entry, however long their names."""
_BLANK: Final = b"\n\n"


@dataclass(frozen=True, slots=True)
class TwoNotes:
    """What a file says, as yet unchecked. `root` is R' and stands with its `proof`, where the sizes differ."""

    smaller: bytes
    larger: bytes
    root: bytes | None = None
    proof: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Equivocation:
    """What a valid file proves: `key` signed both, and so did the `cosigners`, by their order in the first.

    `root` is that of the smaller size in the larger's history.
    """

    smaller: Checkpoint
    larger: Checkpoint
    root: bytes
    key: VerifierKey
    cosigners: tuple[VerifierKey, ...] = ()


def format_equivocation(said: TwoNotes) -> bytes:
    """The bytes of the file. Raises MalformedProof if no reader would accept them."""
    hashes = said.proof if said.root is None else (said.root, *said.proof)
    if len(said.proof) > PROOF_HASHES_MAX or any(len(hash_) != HASH_BYTES for hash_ in hashes):
        raise MalformedProof("the hashes are not a proof", expected=f"at most {PROOF_HASHES_MAX} of {HASH_BYTES} bytes")
    if said.root is None and said.proof:
        raise MalformedProof("there is a proof, and no root it starts from", expected="both, or neither")
    lines = [HEADER]
    if said.root is not None:
        lines.append(f"root {encode_base64(said.root)}")
    lines.extend(encode_base64(hash_) for hash_ in said.proof)
    return "\n".join(lines).encode() + _BLANK + said.smaller + b"\n" + said.larger


def parse_equivocation(data: bytes) -> TwoNotes:
    """Reads the file; the notes are neither read nor verified. Raises MalformedProof."""
    if len(data) > EVIDENCE_BYTES_MAX:
        raise MalformedProof(f"the evidence has {len(data)} bytes", expected=f"at most {EVIDENCE_BYTES_MAX}")
    # A checkpoint's note has one blank line, between its text and its signatures.
    head, *notes = data.split(_BLANK)
    try:
        header, *lines = head.decode("ascii").split("\n", PROOF_HASHES_MAX + 2)
    except UnicodeDecodeError:
        raise MalformedProof("the evidence is not ASCII before its notes") from None
    if header != HEADER or len(notes) != 4:
        raise MalformedProof("this is not evidence of equivocation", expected=f"{HEADER}, and two checkpoints")
    root = None
    if lines:
        if not lines[0].startswith("root "):
            raise MalformedProof("the evidence names no root", expected="a line: root <base64>")
        root = decode_base64(lines.pop(0).removeprefix("root "), MalformedProof, "root")
    proof = tuple(decode_base64(line, MalformedProof, "hash of a proof") for line in lines)
    said = TwoNotes(notes[0] + _BLANK + notes[1] + b"\n", notes[2] + _BLANK + notes[3], root, proof)
    if format_equivocation(said) != data:
        raise MalformedProof("the evidence is not written canonically")
    return said


def check_equivocation(data: bytes, key: VerifierKey, witnesses: Sequence[VerifierKey] = ()) -> Equivocation:
    """What a file proves of the ledger whose key is `key`. Raises MalformedProof, ProofFailed, and what notes raise."""
    said = parse_equivocation(data)
    (smaller, first), (larger, second) = (_opened(note, key, witnesses) for note in (said.smaller, said.larger))  # 1
    where = f"two checkpoints of {key.name}"
    if smaller.size < 1:  # 2
        raise ProofFailed("one is of an empty ledger, which everything extends", where=where)
    if smaller.size > larger.size or (smaller.size == larger.size and said.smaller > said.larger):
        raise MalformedProof("they stand in the wrong order", where=where, expected="the smaller first, or byte order")
    if (said.root is None) != (smaller.size == larger.size):
        raise MalformedProof("a root and a proof are wanted where sizes differ, and only there", where=where)
    root = larger.root if said.root is None else said.root
    if root == smaller.root:  # 3
        raise ProofFailed("they may well be of one history", where=where, expected=f"two roots of {smaller.size}")
    if said.root is not None:
        check_consistency(smaller.size, root, larger.size, larger.root, said.proof)
    return Equivocation(smaller, larger, root, key, tuple(each for each in first if each in second))


def verify_equivocation(data: bytes, charter: Charter) -> tuple[Bureau, Equivocation]:
    """What a file proves by the charter alone, and of whose ledger. Raises as `check_equivocation`."""
    origin = parse_note(parse_equivocation(data).smaller).text.split("\n", 1)[0]
    try:
        bureau = charter.by_origin(origin)
    except NotFound as error:
        raise MalformedProof(error.what, where=error.where, expected=error.expected) from None
    witnesses = [key for each in charter.bureau for key in each.witness_verifiers]
    proven = check_equivocation(data, accused_key(data, bureau), witnesses)
    most = bureau.ends.get(proven.key, proven.larger.size)
    if proven.larger.size > most:
        raise ProofFailed(
            f"its key ends at {most} entries, and one is of {proven.larger.size}",
            where=f"two checkpoints of {origin}",
            expected="no more than the key vouches for",
        )
    return bureau, proven


def canonical_equivocation(data: bytes, charter: Charter) -> tuple[Bureau, bytes]:
    """Whose ledger a file is about, and the file as whoever finds the fork writes it.

    Raises as `check_equivocation`.
    """
    bureau, proven = verify_equivocation(data, charter)
    said = parse_equivocation(data)
    file = make_equivocation(said.smaller, said.larger, proven.key, said.proof, said.root)
    return bureau, keep_cosigners(file, (said.smaller, said.larger), witness_keys(charter))


def accused_key(data: bytes, bureau: Bureau) -> VerifierKey:
    """Which of a ledger's keys a file is about: a retired one that signed its first note, else the present one.

    Raises MalformedProof, and what a bad note raises.
    """
    signed = {(each.name, each.key_id) for each in parse_note(parse_equivocation(data).smaller).signatures}
    retired = [key for key in bureau.ends if key.name == bureau.origin and (key.name, key.key_id) in signed]
    return retired[0] if retired else bureau.ledger_verifier


def make_equivocation(
    one: bytes, other: bytes, key: VerifierKey, proof: Sequence[bytes] = (), root: bytes | None = None
) -> bytes:
    """The file for two notes that `key` signed, with its signature alone. Raises as `check_equivocation`.

    Where sizes differ, `proof` is what the larger's holder shows for them. It tells its own R', except where the
    smaller size is a power of two: then that is `root`.
    """
    (smaller, small), (larger, large) = sorted(
        ((open_checkpoint(note, key), _signed_alone(note, key)) for note in (one, other)),
        key=lambda pair: (pair[0].size, pair[1]),
    )
    if smaller.size == larger.size:
        data = format_equivocation(TwoNotes(small, large))
    else:
        root = root or consistency_root(smaller.size, larger.size, larger.root, proof)
        data = format_equivocation(TwoNotes(small, large, root, tuple(proof)))
    check_equivocation(data, key)
    return data


def keep_cosigners(data: bytes, notes: Iterable[bytes], witnesses: Sequence[VerifierKey]) -> bytes:
    """A valid file with what `notes` of its two checkpoints show of the witnesses that cosigned both of them.

    The file is one that was made here. Notes of others are passed over, and cosignatures that do not verify are left
    out. Raises MalformedNote.
    """
    said = parse_equivocation(data)
    pair = [parse_note(said.smaller), parse_note(said.larger)]
    shown: dict[str, list[NoteSignature]] = {note.text: [] for note in pair}
    for note in (*pair, *map(parse_note, notes)):
        shown.get(note.text, []).extend(note.signatures)
    found = [{key: lines for key in witnesses if (lines := _cosigned(text, shown[text], key))} for text in shown]
    both = [key for key in dict.fromkeys(witnesses) if all(key in each for each in found)][:COSIGNERS_KEPT_MAX]
    smaller, larger = (
        format_note(Note(note.text, (*note.signatures[:1], *(min(lines[key], key=_when) for key in both))))
        for note, lines in zip(pair, found, strict=True)
    )
    return format_equivocation(TwoNotes(smaller, larger, said.root, said.proof))


def witness_keys(charter: Charter) -> list[VerifierKey]:
    """The keys that the bureaus of a charter cosign with. One that was given up is nobody's word any more."""
    return [bureau.witness_verifier for bureau in charter.bureau]


def _cosigned(text: str, lines: Iterable[NoteSignature], key: VerifierKey) -> list[NoteSignature]:
    """Those of some lines that are a key's and verify."""
    found = []
    for line in lines:
        with suppress(SignatureInvalid):
            if (line.name, line.key_id) == (key.name, key.key_id):
                check_note_signature(text, line, key)
                found.append(line)
    return found


def _when(line: NoteSignature) -> bytes:
    """What cosignatures of one note are told apart by: the time, which comes first in them."""
    return line.signature


def forked(bureau: str, data: bytes, key: VerifierKey) -> Forked:
    """A valid file as the error to raise about a bureau, whoever cosigned what is in it. Raises as
    `check_equivocation` where it proves nothing.
    """
    said = parse_equivocation(data)
    proven = check_equivocation(make_equivocation(said.smaller, said.larger, key, said.proof, said.root), key)
    smaller, larger = proven.smaller.size, proven.larger.size
    sizes = f"of {smaller} entries" if smaller == larger else f"of {smaller} and {larger} entries"
    return Forked(
        f"the key of {bureau} signed two different histories {sizes}",
        expected="one history",
        known=smaller,
        evidence=data,
    )


def _opened(
    note: bytes, key: VerifierKey, witnesses: Sequence[VerifierKey]
) -> tuple[Checkpoint, tuple[VerifierKey, ...]]:
    """The checkpoint in a note, and which witnesses cosigned it."""
    checkpoint = open_checkpoint(note, key)
    opened = open_note(note, [key, *witnesses])
    if opened.unknown:
        raise MalformedNote(
            f"{opened.unknown[0].name[:80]} signed it too, whom the charter does not know",
            where=f"checkpoint of {key.name}",
            expected="the ledger's signature, and its witnesses'",
        )
    return checkpoint, tuple(each for each in opened.verified if each != key)


def _signed_alone(data: bytes, key: VerifierKey) -> bytes:
    """A note with no signature but the key's."""
    note = parse_note(data)
    own = [each for each in note.signatures if (each.name, each.key_id) == (key.name, key.key_id)]
    return format_note(Note(note.text, tuple(own)))
