"""Cosignatures (C2SP tlog-cosignature, cosignature/v1): a witness's word on a checkpoint, with the time of it.

The signed message is two lines and the whole text of the note:

    cosignature/v1
    time 1700000000                     seconds since 1970, decimal
    pudong.example/market-regulation
    300
    hOE+weA3FVrmGXV1mbLNIa2lpWXg/ZsxOcDDxsG4rak=

The signature line carries base64 of key id (4) || time (u64 big-endian) || Ed25519 signature (64), under a verifier key
of algorithm 0x04. The message does not name the witness, so one public key never stands under two names.
"""

from __future__ import annotations

from tallystick.core.errors import SignatureInvalid
from tallystick.core.keys import Signer
from tallystick.core.note import (
    COSIGNATURE_V1,
    TIMESTAMP_BYTES,
    NoteSignature,
    VerifierKey,
    check_note_signature,
    cosigned_message,
)


def make_cosignature(text: str, timestamp_s: int, key: Signer, name: str) -> NoteSignature:
    """Cosigns the text of a checkpoint's note as `name`. Raises SignatureInvalid, MalformedKey, MalformedNote."""
    signature = key.sign(cosigned_message(text, timestamp_s))
    key_id = VerifierKey.of(name, key.public, COSIGNATURE_V1).key_id
    return NoteSignature(name, key_id, timestamp_s.to_bytes(TIMESTAMP_BYTES, "big") + signature)


def check_cosignature(text: str, signature: NoteSignature, key: VerifierKey) -> int:
    """The time, in seconds, at which `key` cosigned `text`. Raises SignatureInvalid."""
    if key.algorithm != COSIGNATURE_V1:
        raise SignatureInvalid(f"{key.name} is not a witness key", expected="a verifier key of algorithm 4")
    check_note_signature(text, signature, key)
    return int.from_bytes(signature.signature[:TIMESTAMP_BYTES], "big")
