"""Evidence of presence: one file proves an entry and its author offline, and no bent file proves anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.compose import Sensitive
from tallystick.core.entry import decode_entry
from tallystick.core.errors import (
    MalformedEntry,
    MalformedNote,
    MalformedProof,
    ProofFailed,
    SignatureInvalid,
    TallystickError,
    VerificationFailed,
)
from tallystick.core.evidence import check_presence, format_presence, verify_presence
from tallystick.core.hashing import leaf_hash
from tallystick.core.limits import EVIDENCE_BYTES_MAX
from tallystick.core.merkle import prove_inclusion, root_of
from tallystick.core.note import VerifierKey, encode_base64
from tallystick.core.tlog_proof import TlogProof, format_tlog_proof, parse_tlog_proof
from tallystick_proto.v1.entry_pb2 import Disclosure, Entry, Presence
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import Statement
from tests.harness.encodings import with_unknown
from tests.harness.ledger_maker import LedgerMaker, Made, charter_of, key_of, reader_of

# The entries of the ledger below, by who wrote them.
BY_NODE, BY_REGISTRAR, SINGLE, IN_BATCH, DISCLOSED = 0, 2, 3, 6, 9


def ledger(seed: int = 0) -> LedgerMaker:
    """Ten entries: the founding three, one lookup, a batch of five, and one of a person, which is disclosed."""
    maker = LedgerMaker(seed).found()
    maker.record([maker.use("clerk")], "clerk")
    maker.record([maker.use() for _ in range(5)], "gateway")
    subject = {"version": "A@1", "purpose": "audit", "subject": Sensitive("310115199001010011")}
    maker.record(maker.with_sensitive("use", "gateway", subject))
    return maker


@cache
def made() -> LedgerMaker:
    """One ledger for the tests that only read it."""
    return ledger()


CHARTER = charter_of(ledger().bureau)


def proves(data: bytes) -> bool:
    """Whether a file proves anything; only a domain error may say no."""
    try:
        verify_presence(data, CHARTER)
    except VerificationFailed as error:
        return not str(error)
    return True


def refusal(presence: Presence, index: int, kind: type[TallystickError], maker: LedgerMaker | None = None) -> str:
    """The sentence with which a presence is refused."""
    with pytest.raises(kind) as caught:
        verify_presence((maker or made()).evidence(index, presence), CHARTER)
    return str(caught.value)


@pytest.mark.parametrize("index", range(10))
def test_every_entry_of_a_ledger_is_proven(index: int) -> None:
    """Single or in a batch, by the node, the registrar or a registered actor, an entry is proven with its author."""
    maker = made()
    proven = verify_presence(maker.evidence(index), CHARTER)
    assert proven.entry.raw == maker.entries[index]
    assert proven.reference == f"market-regulation#{index}"
    assert proven.bureau == maker.bureau
    assert proven.checkpoint.size == 10
    assert proven.read.statement.head.actor == proven.author.actor
    assert proven.signature == maker.made[index].signature
    registered = {"node": None, "registrar": None, "clerk": 1, "gateway": 2}
    assert proven.author.index == registered[proven.author.actor.partition(":")[2]]


@given(st.integers(0, 2**32), st.data())
def test_any_entry_is_proven_under_any_later_checkpoint(seed: int, data: st.DataObject) -> None:
    """Whatever the ledger, each entry is proven under every checkpoint that covers it and its author's registration."""
    maker = LedgerMaker(seed).found()
    for _ in range(data.draw(st.integers(1, 3))):
        maker.record([maker.use() for _ in range(data.draw(st.integers(1, 5)))], "gateway")
    index = data.draw(st.integers(3, maker.size - 1))
    size = data.draw(st.integers(index + 1, maker.size))
    assert verify_presence(maker.evidence(index, size=size), CHARTER).checkpoint.size == size


def test_disclosures_come_with_the_proof() -> None:
    """A disclosed value that opens its commitment is handed back; without it the entry is proven all the same."""
    presence = made().presence(DISCLOSED)
    (disclosure,) = verify_presence(made().evidence(DISCLOSED, presence), CHARTER).disclosures
    assert (disclosure.field, disclosure.value) == ("data_used.subject", b"310115199001010011")
    del presence.disclosures[:]
    assert verify_presence(made().evidence(DISCLOSED, presence), CHARTER).disclosures == ()


@pytest.mark.parametrize("index", [BY_NODE, SINGLE, IN_BATCH, DISCLOSED])
def test_every_truncation_and_every_changed_byte_is_refused(index: int) -> None:
    """No shorter file and no file with another byte proves anything."""
    data = made().evidence(index)
    assert proves(data)
    assert not any(proves(data[:cut]) for cut in range(len(data)))
    for at in range(len(data)):
        for change in (1, 2, 8, 32, 128):
            assert not proves(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]), at


@pytest.mark.parametrize("index", [BY_NODE, DISCLOSED])
def test_every_changed_byte_of_what_it_carries_is_refused(index: int) -> None:
    """The same below the base64: another byte of entry, authorship, registration or disclosure proves nothing."""
    maker = made()
    data = maker.presence(index).SerializeToString()
    inclusion, note = tuple(maker.inclusion(index)), maker.note()

    def shows(extra: bytes) -> bool:
        return proves(format_tlog_proof(TlogProof(extra, index, inclusion, note)))

    assert shows(data)
    for at in range(len(data)):
        for change in (1, 4, 16, 64, 128):
            assert not shows(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]), at
    for name, other in with_unknown(data, Presence.DESCRIPTOR):
        assert not shows(other), name


# 1: the checkpoint.


def test_a_checkpoint_is_signed_by_the_ledgers_key() -> None:
    """A checkpoint signed by another key, or of a ledger the charter does not have, proves nothing."""
    impostor = ledger()
    impostor.keys["node"] = key_of("impostor")
    with pytest.raises(SignatureInvalid, match="no known key"):
        verify_presence(impostor.evidence(SINGLE), CHARTER)
    with pytest.raises(MalformedProof, match="no ledger"):
        verify_presence(LedgerMaker(bureau="taxation").found().evidence(0), CHARTER)


def test_another_charter_trusts_another_key() -> None:
    """Under a charter that names another ledger key the same file proves nothing."""
    other = VerifierKey.of(made().origin, key_of("another").public).format()
    with pytest.raises(SignatureInvalid, match="no known key"):
        verify_presence(made().evidence(SINGLE), charter_of(msgspec.structs.replace(made().bureau, ledger_key=other)))


# 2: the entry in the ledger.


def test_the_entry_is_in_the_ledger_at_its_index() -> None:
    """An entry that is not there, or is shown at another index than its own, proves nothing."""
    maker = made()
    presence = maker.presence(SINGLE)
    presence.entry = maker.entries[4]
    assert refusal(presence, SINGLE, ProofFailed).startswith("market-regulation#3: inclusion of #3 in 10")
    checkpoint = verify_presence(maker.evidence(SINGLE), CHARTER).checkpoint
    for index in (-1, 10, 2**40):
        with pytest.raises(ProofFailed):
            check_presence(maker.presence(SINGLE), index, maker.inclusion(SINGLE), maker.bureau, checkpoint)


def test_an_entry_has_the_index_it_stands_at() -> None:
    """An entry that a signed tree holds at another index than its own is malformed."""
    maker = made()
    entries = maker.entries
    entries[SINGLE], entries[SINGLE + 1] = entries[SINGLE + 1], entries[SINGLE]
    leaves = [leaf_hash(entry) for entry in entries]
    presence = maker.presence(SINGLE + 1)
    path = prove_inclusion(SINGLE, maker.size, reader_of(leaves))
    with pytest.raises(MalformedEntry, match=r"market-regulation#3: it calls itself #4"):
        verify_presence(format_presence(presence, SINGLE, path, maker.note(root=root_of(leaves))), CHARTER)


def test_a_malformed_statement_proves_nothing() -> None:
    """An entry in the signed tree whose statement breaks its kind's description is malformed."""
    maker = ledger()
    statement = Statement.FromString(maker.use())
    statement.data_used.ClearField("purpose")
    data = statement.SerializeToString()
    signature = maker.submission([data], "gateway").signature
    maker.made.append(Made(maker.now_us, data, signature, 10, True))
    assert "purpose is missing" in refusal(maker.presence(10), 10, MalformedEntry, maker)


# 3 and 4: the statement in its submission, and who signed that.


Bend = Callable[[Presence], object]


@pytest.mark.parametrize(
    ("bend", "kind", "what"),
    [
        (lambda p: p.authorship.ClearField("path"), ProofFailed, "too few hashes"),
        (lambda p: p.authorship.path.append(bytes(32)), ProofFailed, "too many hashes"),
        (lambda p: p.authorship.path.insert(0, p.authorship.path.pop()), SignatureInvalid, "does not verify"),
        (lambda p: p.authorship.path.__setitem__(0, b"x"), ProofFailed, "wrong length"),
        (lambda p: setattr(p.authorship.signature, "count", 2), ProofFailed, "no such leaf"),
        (lambda p: setattr(p.authorship.signature, "count", 7), SignatureInvalid, "does not verify"),
        (lambda p: setattr(p.authorship.signature, "count", 0), MalformedEntry, "0 statements"),
        (lambda p: setattr(p.authorship.signature, "submission_id", bytes(16)), SignatureInvalid, "does not verify"),
        (lambda p: setattr(p.authorship.signature, "submission_id", b""), MalformedEntry, "has 0 bytes"),
        (lambda p: setattr(p.authorship.signature, "signature", bytes(64)), SignatureInvalid, "does not verify"),
        (lambda p: p.authorship.CopyFrom(made().authorship(SINGLE)), VerificationFailed, "authorship|no such leaf"),
        (lambda p: p.authorship.CopyFrom(made().authorship(IN_BATCH + 1)), SignatureInvalid, "does not verify"),
        (lambda p: p.ClearField("authorship"), MalformedEntry, "has 0 bytes"),
    ],
)
def test_the_statement_is_one_of_those_signed(bend: Bend, kind: type[TallystickError], what: str) -> None:
    """Another path, place, count, id or signature, or those of another entry, do not show who wrote it."""
    presence = made().presence(IN_BATCH)
    bend(presence)
    with pytest.raises(kind, match=what):
        verify_presence(made().evidence(IN_BATCH, presence), CHARTER)


def test_an_entry_that_carries_a_signature_is_proven_by_that_one() -> None:
    """The first entry of a submission is not shown under another valid signature of the same statement."""
    presence = made().presence(SINGLE)
    again = made().submission([made().made[SINGLE].statement], "clerk").signature
    presence.authorship.signature.CopyFrom(again)
    assert "carries another signature" in refusal(presence, SINGLE, SignatureInvalid)


# 5: the author's key.


def test_the_authors_key_is_shown_to_be_registered() -> None:
    """Without a registration, or with another actor's, a registered actor's entry is not proven."""
    presence = made().presence(SINGLE)
    presence.ClearField("registration")
    assert "not registered" in refusal(presence, SINGLE, SignatureInvalid)
    presence.registration.CopyFrom(made().presence(IN_BATCH).registration)
    assert "not registered" in refusal(presence, SINGLE, SignatureInvalid)


@pytest.mark.parametrize(
    ("bend", "kind", "what"),
    [
        (lambda r: setattr(r, "index", 2), ProofFailed, "inclusion of #2"),
        (lambda r: setattr(r, "index", 10), ProofFailed, "no such leaf"),
        (lambda r: setattr(r, "entry", made().entries[2]), ProofFailed, "inclusion of #1"),
        (lambda r: setattr(r, "entry", b""), ProofFailed, "inclusion of #1"),
        (lambda r: r.ClearField("inclusion"), ProofFailed, "too few"),
        (lambda r: r.inclusion.reverse(), ProofFailed, "inclusion of #1"),
        (lambda r: r.authorship.ClearField("path"), ProofFailed, "too few"),
        (lambda r: r.ClearField("authorship"), MalformedEntry, "has 0 bytes"),
        (lambda r: setattr(r.authorship.signature, "key", key_of("x").public), SignatureInvalid, "another signature"),
        (lambda r: r.Clear(), ProofFailed, "inclusion of #0"),
    ],
)
def test_the_registration_is_in_the_same_ledger(
    bend: Callable[[object], object], kind: type[TallystickError], what: str
) -> None:
    """A registration at another index, off the tree, or signed otherwise registers nobody."""
    presence = made().presence(SINGLE)
    bend(presence.registration)
    with pytest.raises(kind, match=what):
        verify_presence(made().evidence(SINGLE, presence), CHARTER)


def shown(maker: LedgerMaker, index: int, registration: int) -> Presence:
    """An entry's presence with the entry at `registration` as its author's registration."""
    presence = maker.presence(index)
    presence.registration.index = registration
    presence.registration.entry = maker.entries[registration]
    presence.registration.inclusion[:] = maker.inclusion(registration)
    presence.registration.authorship.CopyFrom(maker.authorship(registration))
    return presence


def test_a_registration_is_one_by_the_registrar_before_the_entry() -> None:
    """Another kind of statement, one after the entry, or one not signed by the registrar is no registration."""
    assert "another statement" in refusal(shown(made(), IN_BATCH, SINGLE), IN_BATCH, MalformedProof)

    late = ledger()
    late.record([late.use("other")], "other", key=key_of(late.bureau.id, "other"))
    late.record([late.registers("other")], "registrar")
    assert "registered at #11" in refusal(late.presence(10), 10, SignatureInvalid, late)

    for by, key, what in (
        ("node", "node", "may not say ActorRegistered"),
        ("clerk", "clerk", "not registered"),
        ("registrar", "node", "belongs to"),
        ("registrar", "clerk", "not registered"),
    ):
        maker = ledger()
        statement = Statement.FromString(maker.registers("other"))
        statement.head.actor = maker.actor(by)
        maker.record([statement.SerializeToString()], by, key=maker.keys[key])
        maker.record([maker.use("other")], "other")
        assert what in refusal(maker.presence(11), 11, SignatureInvalid, maker)


def test_a_key_proved_to_be_its_holders() -> None:
    """A registration without the new key's own signature, or under another name, proves no author."""
    maker = ledger()
    statement = Statement.FromString(maker.registers("other"))
    statement.actor_registered.possession = bytes(64)
    maker.record([statement.SerializeToString()], "registrar")
    maker.record([maker.use("other")], "other")
    assert "expected a signature by the new key" in refusal(maker.presence(11), 11, SignatureInvalid, maker)

    borrowed = ledger()
    borrowed.record([borrowed.use("clerk")], "clerk", key=borrowed.keys["gateway"])
    assert "belongs to" in refusal(borrowed.presence(10), 10, SignatureInvalid, borrowed)


def test_an_author_may_say_what_it_said() -> None:
    """A kind that the author's role may not say is not proven, be the author registered or the charter's."""
    for by, role in (("gateway", Role.SYSTEM), ("registrar", Role.REGISTRAR)):
        maker = ledger()
        maker.record([maker.say("deny", by, request=maker.ref(3), reason="no")], by)
        assert "may not say AccessDenied" in refusal(maker.presence(10), 10, SignatureInvalid, maker), role


def test_a_revocation_is_not_excluded() -> None:
    """What presence cannot show: an entry after its author's revocation is proven, where that is not shown with it."""
    maker = ledger()
    maker.record([maker.revokes("gateway")], "registrar")
    maker.record([maker.use()], "gateway")
    presence = maker.presence(11)
    assert "was revoked at #10" in refusal(presence, 11, SignatureInvalid, maker)
    presence.ClearField("revocation")
    assert verify_presence(maker.evidence(11, presence), CHARTER).author.revoked is None


# 6: the revocation.


def revoked(before_us: int) -> LedgerMaker:
    """The ledger with `gateway` revoked at #10, compromised that long before its #9 was recorded."""
    maker = ledger()
    at_us = decode_entry(maker.entries[DISCLOSED]).recorded_at_us
    maker.record([maker.revokes("gateway", since_us=at_us - before_us)], "registrar")
    return maker


def test_what_a_compromised_key_signed_is_suspect_and_proven() -> None:
    """From the moment the registrar names up to the revocation; before, and with no moment named, it is not."""
    for before_us, suspect in ((0, True), (1, True), (-1, False)):
        maker = revoked(before_us)
        proven = verify_presence(maker.evidence(DISCLOSED), CHARTER)
        assert (proven.author.revoked, proven.suspect) == (10, suspect)
        assert not verify_presence(maker.evidence(SINGLE), CHARTER).suspect
    maker = ledger()
    maker.record([maker.revokes("gateway")], "registrar")
    assert not verify_presence(maker.evidence(DISCLOSED), CHARTER).suspect
    assert not verify_presence(revoked(0).evidence(DISCLOSED, size=10), CHARTER).suspect


def test_every_changed_byte_of_a_revocation_is_refused() -> None:
    """As of everything else that a file carries."""
    maker = revoked(0)
    presence = maker.presence(DISCLOSED)
    before, data = Presence(), presence.SerializeToString()
    before.CopyFrom(presence)
    before.ClearField("revocation")
    inclusion, note = tuple(maker.inclusion(DISCLOSED)), maker.note()
    for at in range(len(before.SerializeToString()), len(data)):
        for change in (1, 4, 16, 64, 128):
            other = data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
            assert not proves(format_tlog_proof(TlogProof(other, DISCLOSED, inclusion, note))), at


def test_a_revocation_is_the_registrars_and_of_the_authors_key() -> None:
    """Neither another statement nor another key's revocation passes for it."""
    maker = revoked(0)
    maker.record([maker.revokes("clerk")], "registrar")
    for index, kind, words in (
        (2, MalformedProof, "another statement"),
        (11, SignatureInvalid, "no valid key"),
    ):
        presence = maker.presence(DISCLOSED)
        presence.revocation.CopyFrom(maker.said_of_key(index))
        assert words in refusal(presence, DISCLOSED, kind, maker)
    presence = maker.presence(BY_NODE)
    presence.revocation.CopyFrom(maker.said_of_key(10))
    assert "no valid key" in refusal(presence, BY_NODE, SignatureInvalid, maker)


# 7: disclosures.


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"value": b"310115199001010012"}, ProofFailed),
        ({"salt": b"s" * 32}, ProofFailed),
        ({"salt": b""}, ProofFailed),
        ({"position": 1}, MalformedProof),
        ({"field": "data_used.purpose"}, MalformedProof),
        ({"field": "duty_assigned.person"}, MalformedProof),
        ({"field": ""}, MalformedProof),
    ],
)
def test_a_disclosure_opens_the_commitment_at_its_place(change: dict[str, object], kind: type[TallystickError]) -> None:
    """Another value, salt, position or field discloses nothing, and the file with it proves nothing."""
    presence = made().presence(DISCLOSED)
    for name, value in change.items():
        setattr(presence.disclosures[0], name, value)
    assert "disclosure of" in refusal(presence, DISCLOSED, kind) or kind is ProofFailed


def test_a_disclosure_belongs_to_its_entry() -> None:
    """One of another entry, one twice, and one of an entry that commits to nothing are refused."""
    presence = made().presence(DISCLOSED)
    disclosure = Disclosure.FromString(presence.disclosures[0].SerializeToString())
    presence.disclosures.append(disclosure)
    assert "no such commitment" in refusal(presence, DISCLOSED, MalformedProof)
    bare = made().presence(SINGLE)
    bare.disclosures.append(disclosure)
    assert "no such commitment" in refusal(bare, SINGLE, MalformedProof)


# The file.


def test_a_file_is_written_in_one_way() -> None:
    """No extra line, one that is no Presence or not canonically written, and an oversize file are refused."""
    maker = made()
    proof = parse_tlog_proof(maker.evidence(SINGLE))
    assert proof.extra is not None
    assert format_presence(Presence.FromString(proof.extra), SINGLE, proof.hashes, proof.checkpoint) == maker.evidence(
        SINGLE
    )
    for extra in (None, b"\xff", proof.extra + b"\x0a\x00", proof.extra + proof.extra, b"\x22\x00"):
        with pytest.raises(VerificationFailed):
            verify_presence(format_tlog_proof(replace(proof, extra=extra)), CHARTER)
    with pytest.raises(MalformedProof, match="at most"):
        verify_presence(b"x" * (EVIDENCE_BYTES_MAX + 1), CHARTER)
    with pytest.raises(MalformedNote):
        verify_presence(format_tlog_proof(replace(proof, checkpoint=b"no note")), CHARTER)


@given(st.binary(max_size=400))
def test_garbage_proves_nothing(garbage: bytes) -> None:
    """Arbitrary bytes, as the file, as its extra line and as the entry, end in a domain error."""
    assert not proves(garbage)
    proof = parse_tlog_proof(made().evidence(SINGLE))
    if garbage:
        assert not proves(format_tlog_proof(replace(proof, extra=garbage)))
    entry = Entry.FromString(made().entries[SINGLE])
    entry.statement = garbage
    presence = made().presence(SINGLE)
    presence.entry = entry.SerializeToString()
    assert not proves(made().evidence(SINGLE, presence))


def test_the_base64_of_the_extra_line_is_the_presence() -> None:
    """The extra line is plain base64 of the Presence, so that any tool can look at it."""
    presence = made().presence(SINGLE).SerializeToString()
    assert f"extra {encode_base64(presence)}\n".encode() in made().evidence(SINGLE)
    assert leaf_hash(Presence.FromString(presence).entry) == made().ref(SINGLE).leaf
