"""C2SP signed notes and verifier keys.

A note is UTF-8 without control characters other than newline: a text ending in a newline, a blank line, and signature
lines. The *last* blank line separates; the text may contain others. Base64 is the standard one, canonical and padded.

    pudong.example/market-regulation                    text
    300
    hOE+weA3FVrmGXV1mbLNIa2lpWXg/ZsxOcDDxsG4rak=
                                                        blank line
    — pudong.example/market-regulation uUsKMsIi…        em dash, space, key name, space, base64(key id || signature)

A key name is not empty and has neither spaces nor `+`. A verifier key is written `<name>+<key id, 8 hex>+<base64 of
algorithm byte || public key>`; the key id is the first 4 bytes of SHA-256(name || 0x0A || algorithm || public key).

    0x01  Ed25519         signs the text; the signature has 64 bytes
    0x04  cosignature/v1  signs "cosignature/v1\\ntime <t>\\n" || text; t (u64 big-endian, seconds) precedes the 64

Opening a note against known keys: a signature by a key that is not known (name *and* id) is ignored; one by a known key
must verify, or the whole note is refused; a known key that signed twice is refused too, since a reader could be shown
either (two cosignatures may differ in time); and at least one known key must have signed.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final

from tallystick.core.errors import MalformedKey, MalformedNote, SignatureInvalid, TallystickError
from tallystick.core.keys import CACHED_KEYS_MAX, Signer, check_public_key, check_signature
from tallystick.core.limits import NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, PUBLIC_KEY_BYTES, SIGNATURE_BYTES

ED25519: Final = 0x01
COSIGNATURE_V1: Final = 0x04
KEY_ID_BYTES: Final = 4
TIMESTAMP_BYTES: Final = 8
TIMESTAMP_MAX_S: Final = 2**63 - 1

_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME: Final = re.compile(r"[^\s+\x00-\x20\ud800-\udfff]+")
_VERIFIER_KEY: Final = re.compile(r"([^+]+)\+([0-9a-f]{8})\+(.+)")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under. Raises MalformedKey."""

    name: str
    algorithm: int
    public: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise MalformedKey(f"{self.name[:80]!r} is not a key name", expected="no spaces and no plus")
        if self.algorithm not in (ED25519, COSIGNATURE_V1):
            raise MalformedKey(f"unknown algorithm {self.algorithm}", where=self.name, expected="1 or 4")
        check_public_key(self.public, where=self.name)
        hashed = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        object.__setattr__(self, "key_id", sha256(hashed).digest()[:KEY_ID_BYTES])

    @classmethod
    def of(cls, name: str, public: bytes, algorithm: int = ED25519) -> VerifierKey:
        """The verifier key of a bare public key. Raises MalformedKey."""
        return cls(name, algorithm, public)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Reads `<name>+<key id>+<base64>`. Raises MalformedKey."""
        return _parse_key(text)

    @classmethod
    def _parse(cls, text: str) -> VerifierKey:
        match = _VERIFIER_KEY.fullmatch(text)
        if match is None:
            raise MalformedKey(f"{text[:80]!r} is not a verifier key", expected="<name>+<8 hex digits>+<base64>")
        raw = decode_base64(match[3], MalformedKey, match[1][:80])
        if len(raw) != 1 + PUBLIC_KEY_BYTES:
            raise MalformedKey(f"the key has {len(raw)} bytes", where=match[1][:80], expected=f"{1 + PUBLIC_KEY_BYTES}")
        key = cls(match[1], raw[0], raw[1:])
        if key.key_id.hex() != match[2]:
            raise MalformedKey(f"the key id is {match[2]}", where=key.name, expected=key.key_id.hex())
        return key

    def format(self) -> str:
        """The text `parse` reads."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.algorithm]) + self.public)}"


@lru_cache(maxsize=CACHED_KEYS_MAX)
def _parse_key(text: str) -> VerifierKey:
    """A charter's keys are read again and again, and a text always reads the same."""
    return VerifierKey._parse(text)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the bytes of `signature` come after the 4 bytes of `key_id`."""

    name: str
    key_id: bytes
    signature: bytes

    def format(self) -> str:
        """The line, without its newline."""
        return f"\u2014 {self.name} {encode_base64(self.key_id + self.signature)}"

    @classmethod
    def parse(cls, line: str) -> NoteSignature:
        """Reads one line, without its newline. Raises MalformedNote."""
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not _NAME.fullmatch(parts[1]):
            raise MalformedNote(f"{line[:80]!r} is not a signature line", expected="— <name> <base64>")
        raw = decode_base64(parts[2], MalformedNote, f"signature of {parts[1][:80]}")
        if len(raw) <= KEY_ID_BYTES:
            raise MalformedNote("the signature is too short", where=parts[1][:80])
        return cls(parts[1], raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text ending in a newline, and at least one signature, verified or not."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A note whose signatures by `verified`, in their order in the note, hold; `unknown` were not looked at."""

    note: Note
    verified: tuple[VerifierKey, ...]
    unknown: tuple[NoteSignature, ...]


def parse_note(data: bytes) -> Note:
    """Reads a note; verifies no signature. Raises MalformedNote."""
    if len(data) > NOTE_BYTES_MAX:
        raise MalformedNote(f"the note has {len(data)} bytes", expected=f"at most {NOTE_BYTES_MAX}")
    return _parse_small(data) if len(data) <= _SMALL_BYTES_MAX else _parse(data)


def _parse(data: bytes) -> Note:
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedNote(f"the note is not UTF-8 at byte {error.start}") from None
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise MalformedNote("there are no signatures", expected="a text, a blank line and signature lines")
    if lines.count("\n") > NOTE_SIGNATURES_MAX:
        raise MalformedNote(
            f"the note has {lines.count(chr(10))} signatures", expected=f"at most {NOTE_SIGNATURES_MAX}"
        )
    note = Note(text + "\n", tuple(NoteSignature.parse(line) for line in lines[:-1].split("\n")))
    if format_note(note) != data:
        raise MalformedNote("the note is not written canonically")
    return note


# One checkpoint is looked at by several readers in a row: who opens it, who counts its cosignatures, who keeps it.
_SMALL_BYTES_MAX: Final = 4_096
_parse_small: Final = lru_cache(maxsize=256)(_parse)


def format_note(note: Note) -> bytes:
    """The bytes of a note. Raises MalformedNote if no reader would accept them."""
    if not note.text.endswith("\n") or _CONTROL.search(note.text):
        raise MalformedNote("the text cannot be that of a note", expected="no controls, and a newline at its end")
    if not 1 <= len(note.signatures) <= NOTE_SIGNATURES_MAX:
        raise MalformedNote(f"the note has {len(note.signatures)} signatures", expected=f"1 to {NOTE_SIGNATURES_MAX}")
    lines = "".join(f"{signature.format()}\n" for signature in note.signatures)
    try:
        data = f"{note.text}\n{lines}".encode()
    except UnicodeEncodeError:
        raise MalformedNote("the text cannot be written as UTF-8") from None
    if len(data) > NOTE_BYTES_MAX:
        raise MalformedNote(f"the note has {len(data)} bytes", expected=f"at most {NOTE_BYTES_MAX}")
    return data


def sign_note(text: str, *signers: tuple[str, Signer]) -> bytes:
    """A note signed with Ed25519 by each (name, key), in this order. Raises MalformedNote, MalformedKey."""
    signatures = []
    for name, key in signers:
        key_id = VerifierKey.of(name, key.public).key_id
        signatures.append(NoteSignature(name, key_id, key.sign(_utf8(text))))
    return format_note(Note(text, tuple(signatures)))


def add_signatures(data: bytes, *signatures: NoteSignature) -> bytes:
    """The same note with more signatures after its own; none is verified. Raises MalformedNote."""
    note = parse_note(data)
    return format_note(Note(note.text, note.signatures + signatures))


def open_note(data: bytes, keys: Sequence[VerifierKey]) -> Opened:
    """Reads a note and verifies what `keys` signed. Raises MalformedNote, MalformedKey, SignatureInvalid."""
    known = {(key.name, key.key_id): key for key in keys}
    if len(known) != len(set(keys)):
        raise MalformedKey("two of the keys to open a note with share name and key id")
    note = parse_note(data)
    verified: list[VerifierKey] = []
    unknown: list[NoteSignature] = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            unknown.append(signature)
            continue
        if key in verified:
            raise MalformedNote("the same key signed twice", where=key.name)
        check_note_signature(note.text, signature, key)
        verified.append(key)
    if not verified:
        raise SignatureInvalid("no known key signed this note", expected=" or ".join(key.name for key in keys))
    return Opened(note, tuple(verified), tuple(unknown))


def check_signed_by_all(data: bytes, keys: Sequence[VerifierKey]) -> Note:
    """Reads a note every one of `keys` signed. Raises MalformedNote, MalformedKey, SignatureInvalid."""
    opened = open_note(data, keys)
    missing = [key.name for key in keys if key not in opened.verified]
    if missing:
        raise SignatureInvalid("not every key signed this note", expected=f"also {', '.join(missing)}")
    return opened.note


def check_note_signature(text: str, signature: NoteSignature, key: VerifierKey) -> None:
    """`signature` is that of `text` by `key`. Raises SignatureInvalid."""
    message, raw = _utf8(text), signature.signature
    if (signature.name, signature.key_id) != (key.name, key.key_id):
        raise SignatureInvalid(f"this is a signature of {signature.name[:80]}", expected=f"one of {key.name}")
    if key.algorithm == COSIGNATURE_V1:
        if len(raw) != TIMESTAMP_BYTES + SIGNATURE_BYTES:
            raise SignatureInvalid("the cosignature has the wrong length", where=key.name)
        message = cosigned_message(text, int.from_bytes(raw[:TIMESTAMP_BYTES], "big"))
        raw = raw[TIMESTAMP_BYTES:]
    check_signature(key.public, message, raw, f"note signed by {key.name}")


def cosigned_message(text: str, timestamp_s: int) -> bytes:
    """What a cosignature/v1 of a note's text signs. Raises SignatureInvalid for a time out of bounds."""
    if not 0 <= timestamp_s <= TIMESTAMP_MAX_S:
        raise SignatureInvalid(f"the cosignature's time is {timestamp_s}", expected=f"0 to {TIMESTAMP_MAX_S}")
    return f"cosignature/v1\ntime {timestamp_s}\n".encode() + _utf8(text)


def encode_base64(raw: bytes) -> str:
    """Standard base64 with padding."""
    return b64encode(raw).decode()


def decode_base64(text: str, error: type[TallystickError], where: str) -> bytes:
    """The bytes behind canonical standard base64; raises `error`."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if encode_base64(raw) != text:
        raise error("the base64 is not canonical", where=where)
    return raw


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MalformedNote("the text cannot be written as UTF-8") from None
