"""One version of a charter after the other: what makes a version the next, and what two of one number prove.

A version is trusted because its digest was given out of band, or because it follows one that is trusted:

  1. it is a charter, of the same name, its number one higher, and names the digest of the version before;
  2. it carries signatures by the threshold of that version's charter keys *and* by its own;
  3. it is not issued before that version was;
  4. nobody is left out: every bureau stands in it again, with its id, origin and credit code, with a ledger or as an
     observer as before; what was closed stays so;
  5. no floor goes back: a size that was pinned stays pinned, or a larger one is;
  6. every key that was given up is named as retired, at the floor this version pins, and those retired before as they
     were;
  7. no public key stands under another name than in any version before.

Two versions of one number and different digests, the second signed as 2 asks for, are a *fork*: whoever holds the
charter's keys signed both. One signed by fewer is nobody's charter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tallystick.core.bureau import Retired
from tallystick.core.charter import Bureau, Charter
from tallystick.core.charter_note import charter_digest, check_signed, open_charter
from tallystick.core.errors import CharterForked, CharterMismatch, MalformedCharter, MalformedNote, VerificationFailed
from tallystick.core.limits import CHARTER_BYTES_MAX
from tallystick.core.note import VerifierKey, check_note_signature, parse_note


@dataclass(frozen=True, slots=True)
class Version:
    """A charter with the note it stands in."""

    note: bytes
    digest: str
    charter: Charter

    @property
    def number(self) -> int:
        return self.charter.version


def read_version(note: bytes) -> Version:
    """What a note says, signed by its own threshold and not trusted by that. Raises as `open_charter`."""
    if len(note) > CHARTER_BYTES_MAX:
        raise MalformedCharter(f"{len(note)} bytes", where="charter", expected=f"at most {CHARTER_BYTES_MAX}")
    digest = charter_digest(parse_note(note).text)
    return Version(note, digest, open_charter(note, digest))


def follow(known: Sequence[Version], note: bytes) -> Version:
    """The version in a note: the next after the last that is known, or that one itself.

    `known` are versions this reader trusts, in order, the last the one it goes by. Raises CharterForked,
    CharterMismatch, MalformedCharter, and what a bad note raises.
    """
    last = known[-1]
    shown = read_version(note)
    if shown.digest == last.digest:
        return shown
    if shown.number <= last.number:
        raise _older(known, shown)
    if shown.number > last.number + 1:
        raise _refusal(
            f"it is version {shown.number}, and version {last.number} is the last one known",
            f"version {last.number + 1} first",
        )
    check_next(known, shown.charter)
    check_signed(note, last.charter, f"the keys of version {last.number}")  # 2; its own threshold did: `read_version`
    return shown


def check_next(known: Sequence[Version], new: Charter) -> None:
    """All but the signatures of step 2. Raises CharterMismatch."""
    before = known[-1]
    old = before.charter
    for what, found, wanted in (  # 1
        ("name", new.name, old.name),
        ("version", new.version, old.version + 1),
        ("version before", new.previous or "none", before.digest),
    ):
        if found != wanted:
            raise _refusal(f"its {what} is {found}", f"{wanted}")
    if new.issued < old.issued:  # 3
        raise _refusal(f"it is issued on {new.issued.isoformat()}", f"not before {old.issued.isoformat()}")
    bureaus = {bureau.id: bureau for bureau in new.bureau}
    for bureau in old.bureau:
        again = bureaus.get(bureau.id)
        if again is None:  # 4
            raise _refusal(f"{bureau.id} is left out", "every bureau again, closed where it is no more")
        _check_bureau(bureau, again)
    _check_names(known, new)  # 7


def _check_bureau(old: Bureau, new: Bureau) -> None:
    for what, found, wanted in (("origin", new.origin, old.origin), ("credit code", new.credit_code, old.credit_code)):
        if found != wanted:  # 4
            raise _refusal(f"the {what} of {old.id} is {found}", f"{wanted}; a successor is a new id")
    if old.is_observer != new.is_observer:  # 4
        was, is_ = ("an observer", "a ledger") if old.is_observer else ("a bureau with a ledger", "none")
        raise _refusal(f"{old.id} was {was}, and has {is_}", "what it was; a new id for another")
    if old.state == "closed" and (new.state, new.floor) != (old.state, old.floor):  # 4
        raise _refusal(f"{old.id} is {new.state} again, or ends elsewhere", "a closed ledger to stay as it was closed")
    if (
        old.floor is not None and new.floor != old.floor and (new.floor is None or new.floor.size <= old.floor.size)
    ):  # 5
        raise _refusal(f"the floor of {old.id} goes back", f"{old.floor.size} {old.floor.root}, or a larger one")
    named = {*old.retired, *retired_between(old, new)}
    if set(new.retired) != named:  # 6
        odd = sorted(named ^ set(new.retired), key=lambda each: each.key)[0]
        raise _refusal(
            f"the retired keys of {old.id} differ by {odd.key} at {odd.size}",
            "those of the version before as they were, and every key that was given up at the floor of this one",
        )


def retired_between(old: Bureau, new: Bureau) -> list[Retired]:
    """The keys a bureau gives up from one version to the next, as the next must name them."""
    size = 0 if new.floor is None else new.floor.size
    pairs = ((old.ledger_key, new.ledger_key), (old.registrar_key, new.registrar_key))
    gone = [Retired(before, size) for before, after in pairs if before not in (after, "")]
    return gone + ([Retired(old.witness_key)] if old.witness_key != new.witness_key else [])


def signers(data: bytes, *charters: Charter) -> list[VerifierKey]:
    """Whose signatures a note carries, of the keys of some charters; none where it is a text that nobody signed.

    Raises SignatureInvalid where one of them does not hold.
    """
    keys = dict.fromkeys(VerifierKey.parse(each) for one in charters for each in one.charter_keys)
    try:
        note = parse_note(data)
    except MalformedNote:
        return []
    found = []
    for signature in note.signatures:
        for key in keys:
            if (signature.name, signature.key_id) == (key.name, key.key_id):
                check_note_signature(note.text, signature, key)
                found.append(key)
    return found


def _check_names(known: Sequence[Version], new: Charter) -> None:
    names = {key.public: key.name for version in known for key in _keys(version.charter)}
    for key in _keys(new):
        was = names.get(key.public, key.name)
        if was != key.name:
            raise _refusal(f"the key of {key.name} was that of {was}", "no public key under two names")


def _keys(charter: Charter) -> Iterator[VerifierKey]:
    texts = [*charter.charter_keys, *(auditor.key for auditor in charter.auditor)]
    for bureau in charter.bureau:
        texts += [bureau.ledger_key, bureau.registrar_key, bureau.witness_key, *(each.key for each in bureau.retired)]
    return map(VerifierKey.parse, filter(None, texts))  # an observer has a witness's alone


def _older(known: Sequence[Version], shown: Version) -> CharterMismatch:
    """What a version says that is no later than the last known: an old one shown again, a fork, or nobody's."""
    by_number = {version.number: version for version in known}
    twin = by_number.get(shown.number)
    last = known[-1]
    if twin is None or twin.digest == shown.digest:
        return _refusal(
            f"it is version {shown.number}, and version {last.number} is known", f"version {last.number + 1}"
        )
    signers = by_number.get(shown.number - 1, twin)
    try:
        check_signed(shown.note, signers.charter, f"the keys of version {signers.number}")
    except VerificationFailed as error:
        return _refusal(
            f"it is another version {shown.number} than the one known, and its holders did not sign it ({error.what})",
            twin.digest,
        )
    return CharterForked(
        f"the holders of the charter's keys signed two versions {shown.number}: {twin.digest} and {shown.digest}",
        where="charter",
        expected="one charter; keep both notes, they prove it",
        known=shown.number,
    )


def _refusal(what: str, expected: str) -> CharterMismatch:
    return CharterMismatch(what, where="charter", expected=expected)
