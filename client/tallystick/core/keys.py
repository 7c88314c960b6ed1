"""Ed25519 keys and signatures (RFC 8032), strictly.

A public key is 32 bytes: the little-endian y coordinate, the sign of x in the top bit. The library accepts keys under
which one constant signature verifies every message; here a key is refused unless

1. it has 32 bytes,
2. y is below p = 2^255 - 19, the one canonical way to write it,
3. it is none of the eight points of small order (with either sign bit: y is 0, 1, -1 or one of two of order eight),
4. it is a point of the curve at all.

Signatures are 64 bytes; the library refuses an S of the group order or above. Nothing here is random: a seed is an
argument.

Whoever signs is handed a `Signer`, and asks no more of it than that: a `SigningKey` has its seed in memory, another
may ask a device that lets no key out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Protocol

from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tallystick.core.errors import MalformedKey, SignatureInvalid
from tallystick.core.limits import PUBLIC_KEY_BYTES, SIGNATURE_BYTES

SEED_BYTES: Final = 32
CACHED_KEYS_MAX: Final = 4_096
"""Checked public keys kept ready for use."""

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ORDER_EIGHT: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER: Final = frozenset({0, 1, _P - 1, _ORDER_EIGHT, _P - _ORDER_EIGHT})


class Signer(Protocol):
    """What a private key can do for whoever may use it."""

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message`."""
        ...

    def derive(self, context: str) -> bytes:
        """A 32-byte secret of this key's, always the same for one `context`, which says what the secret is for."""
        ...


class SigningKey:
    """A private key, from its 32-byte seed; `public` is the 32-byte public key. Raises MalformedKey."""

    __slots__ = ("_key", "_seed", "public")

    public: bytes

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise MalformedKey(f"the seed has {len(seed)} bytes", expected=f"{SEED_BYTES}")
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message`."""
        return self._key.sign(message)

    def derive(self, context: str) -> bytes:
        """BLAKE3's `derive_key` of the seed under `context`."""
        return blake3(self._seed, derive_key_context=context).digest()


def check_public_key(raw: bytes, where: str = "") -> None:
    """Refuses what is not a sound, canonically written public key. Raises MalformedKey."""
    if len(raw) != PUBLIC_KEY_BYTES:
        raise MalformedKey(f"the public key has {len(raw)} bytes", where=where, expected=f"{PUBLIC_KEY_BYTES}")
    fault = _fault(raw)
    if fault:
        raise MalformedKey(fault, where=where)


@lru_cache(maxsize=CACHED_KEYS_MAX)
def _fault(raw: bytes) -> str:
    """What is wrong with 32 bytes as a public key; empty where nothing is. The curve's equation takes 0.2 ms."""
    y = int.from_bytes(raw, "little") & (1 << 255) - 1
    if y >= _P:
        return "the public key is not canonically encoded"
    if y in _SMALL_ORDER:
        return "the public key is a point of small order, which verifies anything"
    # x^2 = (y^2 - 1) / (d y^2 + 1); the quotient is a square where the product is (Euler).
    if pow((y * y - 1) * (_D * y * y + 1), (_P - 1) // 2, _P) != 1:
        return "the public key is not a point of the curve"
    return ""


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `message` under `public`; a key that is refused has signed nothing."""
    try:
        check_signature(public, message, signature, "")
    except (MalformedKey, SignatureInvalid):
        return False
    return True


def check_signature(public: bytes, message: bytes, signature: bytes, what: str) -> None:
    """Raises SignatureInvalid, naming `what` was signed, or MalformedKey."""
    key = _public_key(public)
    try:
        if len(signature) == SIGNATURE_BYTES:
            key.verify(signature, message)
            return
    except InvalidSignature:
        pass
    raise SignatureInvalid("the signature does not verify", where=what, expected=f"one by the key {public.hex()}")


@lru_cache(maxsize=CACHED_KEYS_MAX)
def _public_key(raw: bytes) -> Ed25519PublicKey:
    check_public_key(raw)
    return Ed25519PublicKey.from_public_bytes(raw)
