"""Ed25519 keys: what signs verifies, and no key is taken that would verify everything."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import MalformedKey, SignatureInvalid
from tallystick.core.keys import SigningKey, check_public_key, check_signature, verify

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SIGN = 1 << 255
KEY = SigningKey(sha256(b"a key").digest())

Point = tuple[int, int]


def added(a: Point, b: Point) -> Point:
    """The group law of the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2."""
    (ax, ay), (bx, by) = a, b
    product = D * ax * bx * ay * by
    x = (ax * by + ay * bx) * pow(1 + product, -1, P)
    y = (ay * by + ax * bx) * pow(1 - product, -1, P)
    return x % P, y % P


def multiplied(times: int, point: Point) -> Point:
    total = (0, 1)
    while times:
        if times & 1:
            total = added(total, point)
        point, times = added(point, point), times >> 1
    return total


def point_of(y: int) -> Point | None:
    """A point with this y, if the curve has one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x, y) if x * x % P == square else None


def torsion() -> list[Point]:
    """The eight points whose order divides eight, found from the curve alone."""
    for y in range(2, 200):
        point = point_of(y)
        if point is not None:
            small = multiplied(L, point)
            points = [multiplied(times, small) for times in range(8)]
            if len(set(points)) == 8:
                return points
    raise AssertionError("no point of order eight found")


def encodings(point: Point) -> set[bytes]:
    """Every 32 bytes that some decoder reads as this point, canonical or not."""
    x, y = point
    signs = {x & 1} if x else {0, 1}
    written = {y, y + P} if y + P < SIGN else {y}
    return {(value | sign << 255).to_bytes(32, "little") for value in written for sign in signs}


def test_every_small_order_point_is_refused_in_every_encoding() -> None:
    """The eight points of small order, computed here from the curve, are refused however they are written."""
    points = torsion()
    assert all(multiplied(8, point) == (0, 1) for point in points)
    raws = set().union(*(encodings(point) for point in points))
    assert len(raws) == 14
    for raw in raws:
        with pytest.raises(MalformedKey):
            check_public_key(raw)
        assert not verify(raw, b"anything", bytes(64))


def test_the_library_alone_would_believe_a_small_order_key() -> None:
    """Under the identity as key one constant signature verifies every message; here it verifies none."""
    identity = (1).to_bytes(32, "little")
    constant = identity + bytes(32)
    for message in (b"one", b"another"):
        Ed25519PublicKey.from_public_bytes(identity).verify(constant, message)
        assert not verify(identity, message, constant)


def test_every_non_canonical_encoding_is_refused() -> None:
    """All nineteen values of y from p upwards are refused, with either sign."""
    for y in range(P, SIGN):
        for sign in (0, SIGN):
            with pytest.raises(MalformedKey, match="canonical"):
                check_public_key((y | sign).to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    """A public key or seed has 32 bytes."""
    with pytest.raises(MalformedKey):
        check_public_key(KEY.public[:1] * length)
    with pytest.raises(MalformedKey):
        SigningKey(bytes(length))


def test_a_key_off_the_curve_is_refused() -> None:
    """A y that no point of the curve has is no key."""
    off = [y for y in range(2, 60) if point_of(y) is None]
    on = [y for y in range(2, 60) if point_of(y) is not None]
    assert off
    assert on
    for y in off:
        with pytest.raises(MalformedKey, match="curve"):
            check_public_key(y.to_bytes(32, "little"))
    for y in on:
        check_public_key(y.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_what_a_key_signs_verifies_under_it(seed: bytes, message: bytes) -> None:
    """Every seed gives a key that is taken, and its signatures hold for their message only."""
    key = SigningKey(seed)
    check_public_key(key.public)
    signature = key.sign(message)
    check_signature(key.public, message, signature, "a test")
    assert verify(key.public, message, signature)
    assert not verify(key.public, message + b".", signature)
    assert not verify(KEY.public, message, signature)


def test_every_altered_signature_is_refused() -> None:
    """No bit of a signature can be altered, no byte dropped or added."""
    signature = KEY.sign(b"a message")
    altered = [signature[:cut] for cut in range(64)] + [signature + b"\0"]
    altered += [
        bytes([*signature[:at], signature[at] ^ 1 << bit, *signature[at + 1 :]]) for at in range(64) for bit in range(8)
    ]
    altered.append(signature[:32] + (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little"))
    for other in altered:
        with pytest.raises(SignatureInvalid, match="a test"):
            check_signature(KEY.public, b"a message", other, "a test")


@given(st.binary(max_size=40), st.binary(max_size=10), st.binary(max_size=70))
def test_garbage_never_verifies(public: bytes, message: bytes, signature: bytes) -> None:
    """Arbitrary bytes as key and signature are answered with no, never with another error."""
    assert not verify(public, message, signature)
    assert not verify(KEY.public, message, signature)


def test_a_signing_key_does_not_show_its_seed() -> None:
    """The printed form of a key holds only what is public."""
    assert KEY.public.hex() in repr(KEY)
    assert sha256(b"a key").hexdigest() not in repr(KEY)


@given(st.binary(min_size=32, max_size=32), st.text(max_size=20), st.text(max_size=20))
def test_a_derived_secret_is_of_one_key_and_one_context(seed: bytes, context: str, other: str) -> None:
    """The same key and context give the same 32 bytes, another of either gives others, and none is the seed."""
    derived = SigningKey(seed).derive(context)
    assert len(derived) == 32
    assert derived == SigningKey(seed).derive(context)
    assert (derived == SigningKey(seed).derive(other)) == (context == other)
    assert KEY.derive(context) != derived or seed == sha256(b"a key").digest()
    assert derived != seed
