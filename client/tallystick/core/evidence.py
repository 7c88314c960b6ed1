"""Evidence of presence: one file that proves, offline, that a ledger holds an entry and who wrote it.

A C2SP tlog-proof whose `extra` line is base64 of `Presence`. `verify_presence` needs the file and the charter, nothing
else:

  1. the checkpoint is signed by the ledger key of a bureau in the charter, or one it retired, as far as that vouches,
     and is the floor where it is of the floor's size;
  2. the entry's path leads to the checkpoint's root, at the entry's own index;
  3. the statement's path leads to the root of its submission, at its place in it;
  4. the author's key signed that submission, as the actor the statement names;
  5. the key is the charter's own, or the registration shown is in the same ledger, before the entry, signed by the
     bureau's registrar (steps 2 to 4) and by the key itself, in a role that may say this kind;
  6. where a revocation is shown, it is in the same ledger, of that key, after the entry, signed by the registrar (steps
     2 to 4). What the key signed since it was compromised, as the revocation says, is suspect, and proven all the same;
  7. each disclosure opens the commitment at its place.

It proves presence, never absence: where no revocation is shown, one between the registration and this entry, or after
it, is not excluded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from tallystick.core import statement
from tallystick.core.actors import Actors, Registered
from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.commitment import Place, check_opening
from tallystick.core.entry import Entry, check_signature_form, decode_entry
from tallystick.core.errors import (
    MalformedEntry,
    MalformedProof,
    NotAuthentic,
    NotFound,
    ProofFailed,
    SignatureInvalid,
    VerificationFailed,
)
from tallystick.core.hashing import leaf_hash
from tallystick.core.keys import check_public_key, check_signature
from tallystick.core.kinds import Kind
from tallystick.core.limits import EVIDENCE_BYTES_MAX, LEDGER_ENTRIES_MAX
from tallystick.core.merkle import check_inclusion, inclusion_root
from tallystick.core.note import VerifierKey, parse_note
from tallystick.core.statement import Read
from tallystick.core.submission import signed_message
from tallystick.core.tlog_proof import TlogProof, format_tlog_proof, parse_tlog_proof
from tallystick_proto.v1.entry_pb2 import Authorship, Disclosure, Presence, Registration, Signature
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import ActorRegistered, ActorRevoked


@dataclass(frozen=True, slots=True)
class Proven:
    """What a valid evidence file proves."""

    bureau: Bureau
    checkpoint: Checkpoint
    entry: Entry
    read: Read
    author: Registered
    signature: Signature
    disclosures: tuple[Disclosure, ...]

    @property
    def reference(self) -> str:
        return f"{self.bureau.id}#{self.entry.index}"

    @property
    def suspect(self) -> bool:
        """Whether the author's key was compromised by then, as its registrar said when revoking it."""
        return self.author.is_suspect(self.entry.index, self.entry.recorded_at_us)


def actors_of(bureau: Bureau) -> Actors:
    """The keys of a ledger as the charter alone names them, those it retired among them."""
    return _named(bureau, {each.verifier: each.size for each in bureau.retired})


def actors_of_any_size(bureau: Bureau) -> Actors:
    """The same, but that a retired key signs wherever the charter ends it: above that it is the ledger's word no more,
    and was; who kept it from then still holds it.
    """
    return _named(bureau, {each.verifier: LEDGER_ENTRIES_MAX for each in bureau.retired})


def _named(bureau: Bureau, retired: Mapping[VerifierKey, int]) -> Actors:
    actors = Actors(bureau.id, bureau.origin, bureau.ledger_verifier.public, bureau.registrar_public)
    for key, size in retired.items():
        if key.name == bureau.origin:
            actors.add_retired("node", key.public, Role.NODE, size)
        elif key.name == f"{bureau.origin}/registrar":
            actors.add_retired("registrar", key.public, Role.REGISTRAR, size)
    return actors


def format_presence(presence: Presence, index: int, inclusion: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The evidence file."""
    return format_tlog_proof(TlogProof(presence.SerializeToString(), index, tuple(inclusion), checkpoint))


def verify_presence(data: bytes, charter: Charter) -> Proven:
    """Check an evidence file against a charter. Raises VerificationFailed, of which sort the class says."""
    if len(data) > EVIDENCE_BYTES_MAX:
        raise MalformedProof(f"{len(data)} bytes", where="evidence", expected=f"at most {EVIDENCE_BYTES_MAX}")
    proof = parse_tlog_proof(data)
    if proof.extra is None:
        raise MalformedProof("it says nothing of who wrote the entry", where="evidence", expected="an extra line")
    try:
        presence = Presence.FromString(proof.extra)
    except DecodeError:
        raise MalformedProof("the extra line does not parse", where="evidence", expected="base64 of Presence") from None
    # Nothing is let pass that no step looks at: one changed tag would hide a disclosure among unknown fields.
    presence.DiscardUnknownFields()
    if presence.SerializeToString() != proof.extra:
        raise MalformedProof("the extra line is not in canonical form", where="evidence", expected="one encoding")
    origin = parse_note(proof.checkpoint).text.split("\n", 1)[0]
    try:
        bureau = charter.by_origin(origin)
    except NotFound as error:
        raise MalformedProof(error.what, where=error.where, expected=error.expected) from None
    checkpoint = open_checkpoint(proof.checkpoint, bureau.ledger_verifier, bureau.ends)  # 1
    floor = bureau.pinned
    if floor is not None and checkpoint.size == floor.size and checkpoint != floor:
        raise ProofFailed(
            f"its checkpoint of {floor.size} entries is not the one the charter pins",
            where=origin,
            expected=f"root {floor.root.hex()}",
        )
    return check_presence(presence, proof.index, proof.hashes, bureau, checkpoint)


def check_presence(
    presence: Presence, index: int, inclusion: Sequence[bytes], bureau: Bureau, checkpoint: Checkpoint
) -> Proven:
    """Steps 2 to 7, for a checkpoint that was opened already."""
    place = f"{bureau.id}#{index}"
    try:
        entry, read = _check_entry(presence.entry, index, inclusion, checkpoint)  # 2
        author = _check_author(presence, entry, read, bureau, checkpoint)  # 3 to 6
        _check_disclosures(presence, entry, bureau)  # 7
    except VerificationFailed as error:
        raise error.at(place) from None
    return Proven(bureau, checkpoint, entry, read, author, presence.authorship.signature, tuple(presence.disclosures))


def _check_entry(raw: bytes, index: int, inclusion: Sequence[bytes], checkpoint: Checkpoint) -> tuple[Entry, Read]:
    check_inclusion(leaf_hash(raw), index, checkpoint.size, checkpoint.root, inclusion)
    entry = decode_entry(raw)
    if entry.index != index:
        raise MalformedEntry(f"it calls itself #{entry.index}", expected=f"#{index}")
    return entry, statement.read(entry.statement)


def _check_author(presence: Presence, entry: Entry, read: Read, bureau: Bureau, checkpoint: Checkpoint) -> Registered:
    actor = read.statement.head.actor
    key = presence.authorship.signature.key
    _check_authorship(presence.authorship, entry, actor, bureau.origin)
    actors = actors_of(bureau)
    try:
        if presence.HasField("registration"):
            _fold(presence.registration, ActorRegistered, actors, bureau, checkpoint)
        if presence.HasField("revocation"):
            _fold(presence.revocation, ActorRevoked, actors, bureau, checkpoint)
        author = actors.authorise(actor, key, entry.first)
    except NotAuthentic as error:
        raise SignatureInvalid(error.what, where=error.where, expected=error.expected) from None
    if read.kind is not None:
        _check_role(author, read.kind)
    return author


def _fold(
    shown: Registration,
    said: type[ActorRegistered | ActorRevoked],
    actors: Actors,
    bureau: Bureau,
    checkpoint: Checkpoint,
) -> None:
    """Take into `actors` what another entry of the ledger says of a key, once that is proven to be the registrar's."""
    raw, read = _check_entry(shown.entry, shown.index, shown.inclusion, checkpoint)
    registrar = read.statement.head.actor
    _check_authorship(shown.authorship, raw, registrar, bureau.origin)
    if read.kind is None or read.kind.name != said.DESCRIPTOR.name:
        raise MalformedProof("what it shows of the key is another statement", expected=said.DESCRIPTOR.name)
    signer = actors.authorise(registrar, shown.authorship.signature.key, shown.index)
    _check_role(signer, read.kind)
    actors.fold(shown.index, read.statement, raw.recorded_at_us)


def _check_role(signer: Registered, kind: Kind) -> None:
    if signer.role not in kind.roles:
        raise SignatureInvalid(f"{signer.actor} may not say {kind.name}", expected="a role the kind allows")


def _check_authorship(authorship: Authorship, entry: Entry, actor: str, origin: str) -> None:
    """Steps 3 and 4: the key signed a submission that has this statement at this place."""
    signature = authorship.signature
    check_signature_form(signature, "authorship")
    if entry.signed is not None and entry.signed != signature:
        raise SignatureInvalid("the entry carries another signature", where="authorship", expected="its own")
    root = inclusion_root(leaf_hash(entry.statement), entry.index - entry.first, signature.count, authorship.path)
    check_public_key(signature.key)
    message = signed_message(origin, actor, signature.submission_id, signature.count, root)
    check_signature(signature.key, message, signature.signature, f"the submission of {actor}")


def _check_disclosures(presence: Presence, entry: Entry, bureau: Bureau) -> None:
    position = entry.index - entry.first
    opened: set[str] = set()
    for disclosure in presence.disclosures:
        where = f"disclosure of {disclosure.field[:128]}"
        commitment = statement.commitment_at(entry.statement, disclosure.field)
        if commitment is None or disclosure.position != position or disclosure.field in opened:
            raise MalformedProof("there is no such commitment", where=where, expected="a sensitive field of this entry")
        opened.add(disclosure.field)
        at = Place(bureau.origin, presence.authorship.signature.submission_id, position, disclosure.field)
        check_opening(commitment, at, disclosure.salt, disclosure.value)
