"""Signed notes and verifier keys: what was written reads back, and nothing altered is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.cosignature import make_cosignature
from tallystick.core.errors import (
    MalformedKey,
    MalformedNote,
    SignatureInvalid,
    TallystickError,
)
from tallystick.core.keys import SigningKey
from tallystick.core.limits import NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX
from tallystick.core.note import (
    COSIGNATURE_V1,
    ED25519,
    Note,
    NoteSignature,
    VerifierKey,
    add_signatures,
    check_note_signature,
    check_signed_by_all,
    format_note,
    open_note,
    parse_note,
    sign_note,
)

ALICE, BOB, CAROL = (SigningKey(sha256(name).digest()) for name in (b"alice", b"bob", b"carol"))
ALICE_KEY = VerifierKey.of("example.com/alice", ALICE.public)
BOB_KEY = VerifierKey.of("example.com/鲍勃", BOB.public)
CAROL_KEY = VerifierKey.of("example.com/carol", CAROL.public, COSIGNATURE_V1)
TEXT = "A deal.\n\nNotched, 劈开.\n"
DATA = add_signatures(
    sign_note(TEXT, (ALICE_KEY.name, ALICE), (BOB_KEY.name, BOB)), make_cosignature(TEXT, 7, CAROL, CAROL_KEY.name)
)
KEYS = [ALICE_KEY, BOB_KEY, CAROL_KEY]
SHORT = add_signatures(
    sign_note("\n\n劈\n", (BOB_KEY.name, BOB)), make_cosignature("\n\n劈\n", 7, CAROL, CAROL_KEY.name)
)


def altered(data: bytes) -> Iterator[bytes]:
    """Every truncation of `data`, and every value of every byte of it but its own."""
    for cut in range(len(data)):
        yield data[:cut]
    for at, byte in enumerate(data):
        for other in range(256):
            if other != byte:
                yield data[:at] + bytes([other]) + data[at + 1 :]


def outcome(check: Callable[..., object], *shown: object) -> type[TallystickError] | None:
    """The domain error `check` ends in, None if it ends in none; any other error passes through and fails the test."""
    try:
        check(*shown)
    except TallystickError as error:
        str(error)
        return type(error)
    return None


def test_a_note_signed_by_all_opens() -> None:
    """A note with three signers opens under all their keys, in any order, and under any of them alone."""
    assert check_signed_by_all(DATA, KEYS[::-1]).text == TEXT
    assert open_note(DATA, KEYS).verified == tuple(KEYS)
    for key in KEYS:
        opened = open_note(DATA, [key])
        assert (opened.note.text, opened.verified) == (TEXT, (key,))
        assert [signature.name for signature in opened.unknown] == [other.name for other in KEYS if other != key]


def test_every_truncation_and_every_changed_byte_of_a_note_is_refused() -> None:
    """With every signer required, no shorter note and no note with another byte anywhere is taken."""
    keys = [BOB_KEY, CAROL_KEY]
    assert check_signed_by_all(SHORT, keys).text == "\n\n劈\n"
    taken = [other for other in altered(SHORT) if outcome(check_signed_by_all, other, keys) is None]
    assert taken == []


def test_every_truncation_and_every_changed_character_of_a_key_is_refused() -> None:
    """A verifier key one of whose characters is another, or missing at its end, is not a key."""
    for key in (ALICE_KEY, CAROL_KEY):
        for other in altered(key.format().encode()):
            assert outcome(VerifierKey.parse, other.decode("latin-1")) is MalformedKey


def test_a_signature_of_a_known_key_that_does_not_verify_refuses_the_note() -> None:
    """One bad signature by a known key outweighs a good one; by an unknown key it is ignored."""
    note = parse_note(DATA)
    bad = NoteSignature(BOB_KEY.name, BOB_KEY.key_id, ALICE.sign(TEXT.encode()))
    data = format_note(Note(TEXT, (note.signatures[0], bad)))
    with pytest.raises(SignatureInvalid, match="鲍勃"):
        open_note(data, KEYS)
    opened = open_note(data, [ALICE_KEY])
    assert (opened.verified, opened.unknown) == ((ALICE_KEY,), (bad,))


@pytest.mark.parametrize(
    "stranger",
    [VerifierKey.of(ALICE_KEY.name, BOB.public), VerifierKey.of("example.com/other", ALICE.public)],
    ids=["same-name", "same-key"],
)
def test_name_and_key_id_must_both_be_known(stranger: VerifierKey) -> None:
    """A signature that shares only its name, or only its key, with a known one says nothing about the note."""
    with pytest.raises(SignatureInvalid, match="no known key"):
        open_note(sign_note(TEXT, (ALICE_KEY.name, ALICE)), [stranger])


def test_a_note_nobody_known_signed_is_refused() -> None:
    """No known signature, no note; and all means all."""
    with pytest.raises(SignatureInvalid):
        open_note(DATA, [])
    with pytest.raises(SignatureInvalid, match="carol"):
        check_signed_by_all(sign_note(TEXT, (ALICE_KEY.name, ALICE)), [ALICE_KEY, CAROL_KEY])


def test_a_known_key_that_signed_twice_is_refused() -> None:
    """Two cosignatures by one witness, even both valid, would let a reader be shown either time."""
    twice = add_signatures(DATA, make_cosignature(TEXT, 8, CAROL, CAROL_KEY.name))
    with pytest.raises(MalformedNote, match="twice"):
        open_note(twice, KEYS)
    assert open_note(twice, [ALICE_KEY]).verified == (ALICE_KEY,)


def test_a_key_given_twice_is_one_key_but_a_collision_is_refused() -> None:
    """The same key listed twice is harmless; two keys of one name and id are not told apart."""
    assert open_note(DATA, [ALICE_KEY, ALICE_KEY]).verified == (ALICE_KEY,)
    other = VerifierKey.of(ALICE_KEY.name, BOB.public)
    object.__setattr__(other, "key_id", ALICE_KEY.key_id)
    with pytest.raises(MalformedKey, match="share"):
        open_note(DATA, [ALICE_KEY, other])


def test_one_algorithm_does_not_pass_for_the_other() -> None:
    """A plain signature is no cosignature of the same public key, nor a cosignature a plain one."""
    plain = VerifierKey.of(CAROL_KEY.name, CAROL.public)
    cosignature = make_cosignature(TEXT, 7, CAROL, CAROL_KEY.name)
    signature = parse_note(sign_note(TEXT, (CAROL_KEY.name, CAROL))).signatures[0]
    assert plain.key_id != CAROL_KEY.key_id
    for shown, key in ((cosignature, plain), (signature, CAROL_KEY)):
        for forged in (shown, NoteSignature(key.name, key.key_id, shown.signature)):
            with pytest.raises(SignatureInvalid):
                check_note_signature(TEXT, forged, key)


LINE = parse_note(DATA).signatures[0].format()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"text\n",
        b"text\n\n",
        f"text\n\n{LINE}".encode(),
        f"text\n{LINE}\n".encode(),
        f"text\n\n{LINE}\n\n".encode(),
        f"text\n\n{LINE}\r\n".encode(),
        f"text\r\n\n{LINE}\n".encode(),
        f"te\txt\n\n{LINE}\n".encode(),
        f"te\0xt\n\n{LINE}\n".encode(),
        f"text\n\n {LINE}\n".encode(),
        f"text\n\n{LINE} \n".encode(),
        f"text\n\n{LINE.replace('=', '')}\n".encode(),
        f"text\n\n{LINE.replace(chr(0x2014), '-')}\n".encode(),
        f"text\n\n{LINE.replace(' example', '  example')}\n".encode(),
        f"text\n\n{LINE.replace('alice', 'a+lice')}\n".encode(),
        f"text\n\n{LINE.replace('alice', 'a' + chr(0xA0) + 'lice')}\n".encode(),
        f"text\n\n{LINE}\nmore\n".encode(),
        "text\n\n\u2014 a AAAAAA==\n".encode(),
        "text\n\n\u2014 a AAAAAAB=\n".encode(),
        "text\n\n\u2014 a AAAA_AA=\n".encode(),
        b"\xff" + DATA,
        b"\xed\xa0\x80" + DATA,
        b"\xc0\x80" + DATA,
        b"x" * (NOTE_BYTES_MAX + 1) + DATA,
        f"text\n\n{(LINE + chr(10)) * (NOTE_SIGNATURES_MAX + 1)}".encode(),
    ],
)
def test_what_is_no_note_is_malformed(data: bytes) -> None:
    """Missing parts, controls, other spaces, loose base64, broken UTF-8 and anything over a bound is refused."""
    with pytest.raises(MalformedNote):
        parse_note(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "+",
        "a+00000000+AQ==",
        ALICE_KEY.format().replace("+A", "+ A"),
        ALICE_KEY.format() + "\n",
        ALICE_KEY.format().replace(ALICE_KEY.key_id.hex(), ALICE_KEY.key_id.hex().upper()),
        ALICE_KEY.format().replace("example.com/", ""),
        ALICE_KEY.format().removeprefix("example.com/alice"),
        "\ud800" + ALICE_KEY.format(),
    ],
)
def test_what_is_no_verifier_key_is_malformed(text: str) -> None:
    """A key without its parts, of another id, or with anything around it is refused."""
    with pytest.raises(MalformedKey):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\x7f\x1fb", "\udc00"])
def test_a_key_name_has_no_spaces_plus_or_controls(name: str) -> None:
    """Such a name could not stand in a signature line."""
    with pytest.raises(MalformedKey):
        VerifierKey.of(name, ALICE.public)


def test_unknown_algorithms_and_unsound_keys_are_refused() -> None:
    """A verifier key is of algorithm 1 or 4 and holds a sound Ed25519 key."""
    for algorithm in (0, 2, 3, 5, 255, 256, -1):
        with pytest.raises(MalformedKey, match="algorithm"):
            VerifierKey.of("a", ALICE.public, algorithm)
    for public in (b"", bytes(32), b"\xff" * 32):
        with pytest.raises(MalformedKey):
            VerifierKey.of("a", public)


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "\ud800\n"])
def test_a_text_no_reader_would_accept_is_not_signed(text: str) -> None:
    """Only a text that reads back is signed."""
    with pytest.raises(MalformedNote):
        sign_note(text, (ALICE_KEY.name, ALICE))


def test_a_note_needs_a_signature() -> None:
    """A text without signatures is no note, nor one with more than the bound."""
    with pytest.raises(MalformedNote):
        sign_note(TEXT)
    with pytest.raises(MalformedNote):
        sign_note(TEXT, *[(ALICE_KEY.name, ALICE)] * (NOTE_SIGNATURES_MAX + 1))
    with pytest.raises(MalformedNote):
        sign_note("x" * NOTE_BYTES_MAX + "\n", (ALICE_KEY.name, ALICE))


TEXTS = st.text(st.one_of(st.just("\n"), st.characters(codec="utf-8", min_codepoint=32))).map(lambda text: text + "\n")
NAMES = st.from_regex(r"[a-z./一-丁]{1,20}", fullmatch=True)
SIGNATURES = st.lists(
    st.builds(NoteSignature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)),
    min_size=1,
    max_size=4,
)


@given(TEXTS, SIGNATURES)
def test_any_note_reads_back(text: str, signatures: list[NoteSignature]) -> None:
    """A formatted note parses to the very note, whatever its text, blank lines included."""
    note = Note(text, tuple(signatures))
    assert parse_note(format_note(note)) == note


@given(NAMES, st.binary(min_size=32, max_size=32), st.sampled_from([ED25519, COSIGNATURE_V1]))
def test_any_verifier_key_reads_back(name: str, seed: bytes, algorithm: int) -> None:
    """A formatted key parses to the very key."""
    key = VerifierKey.of(name, SigningKey(seed).public, algorithm)
    assert VerifierKey.parse(key.format()) == key


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))), st.text())
def test_garbage_is_refused_as_such(garbage: bytes, text: str) -> None:
    """Arbitrary bytes before, behind or in place of a note end in a domain error or an honest note."""
    for data in (garbage, garbage + DATA, DATA + garbage, DATA[:60] + garbage + DATA[60:]):
        if outcome(check_signed_by_all, data, KEYS) is None:
            assert data == DATA
    assert outcome(VerifierKey.parse, text) is MalformedKey
    assert outcome(NoteSignature.parse, text) in (MalformedNote, None)
