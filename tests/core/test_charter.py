"""The charter: what is written reads back, it is trusted by its digest, and half a charter is no charter."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.charter import Auditor, Bureau, Charter, Floor, Name, Witnessing
from tallystick.core.charter_note import (
    HEADER,
    charter_digest,
    format_charter,
    open_charter,
    parse_charter,
    sign_charter,
)
from tallystick.core.errors import (
    CharterMismatch,
    MalformedCharter,
    MalformedNote,
    NotFound,
    SignatureInvalid,
    VerificationFailed,
)
from tallystick.core.identifiers import HOLDERS, NOBODY
from tallystick.core.limits import CHARTER_BYTES_MAX
from tallystick.core.note import COSIGNATURE_V1, ED25519, VerifierKey
from tests.harness.authorities import authority_of
from tests.harness.ledger_maker import CHARTER_KEYS, LedgerMaker, charter_of, key_of, signed

MARKET, TAXATION = LedgerMaker().bureau, LedgerMaker(bureau="taxation").bureau
CHARTER = charter_of(MARKET, TAXATION)
NOTE, DIGEST = signed(CHARTER)
_WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
FULL = msgspec.structs.replace(
    CHARTER,
    version=2,
    previous=DIGEST,
    bureau=(
        msgspec.structs.replace(
            MARKET,
            certificate_authority=authority_of(MARKET.id).pem,
            witnesses=("taxation",),
            floor=Floor(size=88_120, root=base64.b64encode(bytes(32)).decode()),
            state="closed",
            successor="taxation",
        ),
        TAXATION,
    ),
    auditor=(Auditor("audit-office", VerifierKey.of("pudong.example/audit", key_of("auditor").public).format()),),
    witnessing=Witnessing(quorum=2, freshness="5m"),
    rulebook={
        "time_zone": "Asia/Shanghai",
        "holidays": [date(2027, 1, 1)],
        "deadlines": {"answer_request": 10},
        "thresholds": {"night": {"from": time(22), "until": time(6, 0, 30)}},
        "rule": {"request-overdue": {"severity": "warning", "citation": {"zh": "…", "en": "…"}}},
    },
)

PLAIN_WITNESS = VerifierKey.of(f"{MARKET.origin}/witness", LedgerMaker().keys["witness"].public).format()


def with_bureau(**changes: object) -> Charter:
    """The charter with another first bureau."""
    return msgspec.structs.replace(CHARTER, bureau=(msgspec.structs.replace(MARKET, **changes), TAXATION))


def refusal(charter: Charter | str) -> str:
    """The sentence with which a charter, or a charter's text, is refused."""
    text = charter if isinstance(charter, str) else format_charter(charter)
    with pytest.raises(MalformedCharter) as caught:
        parse_charter(text)
    with pytest.raises(MalformedCharter):
        sign_charter(text, [(name, key_of(name)) for name in CHARTER_KEYS])
    assert caught.value.where.startswith("charter")
    return str(caught.value)


@pytest.mark.parametrize("charter", [CHARTER, FULL], ids=["least", "full"])
def test_what_is_written_reads_back(charter: Charter) -> None:
    """A text parses to the charter it is of, dates and local times of its rulebook included, and is written alike."""
    text = format_charter(charter)
    assert text.startswith(HEADER)
    assert parse_charter(text) == charter
    assert format_charter(parse_charter(text)) == text


@given(
    names=st.lists(st.from_regex(r"\A[a-z0-9-]{1,20}\Z"), min_size=1, max_size=3, unique=True),
    words=st.dictionaries(_WORDS, st.integers(-(2**63), 2**63 - 1) | _WORDS, max_size=3),
    hours=st.integers(-12, 12),
)
def test_any_charter_reads_back(names: list[str], words: dict[str, object], hours: int) -> None:
    """Whatever bureaus, rulebook and time zone: the text says it."""
    issued = datetime(2027, 1, 1, tzinfo=timezone(timedelta(hours=hours)))
    bureaus = [LedgerMaker(bureau=name).bureau for name in names]
    charter = msgspec.structs.replace(charter_of(*bureaus), issued=issued, rulebook=words)
    assert parse_charter(format_charter(charter)) == charter


def test_a_charter_is_trusted_by_the_digest_of_its_text() -> None:
    """The note opens under its digest, whoever of enough keys signed; under another digest it does not."""
    assert open_charter(NOTE, DIGEST) == CHARTER
    assert signed(CHARTER, CHARTER_KEYS[:2])[1] == DIGEST == charter_digest(format_charter(CHARTER))
    assert open_charter(signed(CHARTER, CHARTER_KEYS[1:])[0], DIGEST) == CHARTER
    for digest in ("blake3:", DIGEST.upper(), DIGEST[:-1], signed(FULL)[1]):
        with pytest.raises(CharterMismatch, match=r"its digest is blake3:[0-9a-f]{64}; expected"):
            open_charter(NOTE, digest)


def test_too_few_signatures_are_not_enough() -> None:
    """One signature of two, none by a charter key, and a wrong one among enough are refused."""
    with pytest.raises(CharterMismatch, match="signed by 1 of its keys; expected at least 2"):
        open_charter(signed(CHARTER, CHARTER_KEYS[:1])[0], DIGEST)
    with pytest.raises(SignatureInvalid, match="no known key"):
        open_charter(signed(CHARTER, ["pudong.example/stranger"])[0], DIGEST)
    with pytest.raises(CharterMismatch, match="signed by 1"):
        open_charter(signed(CHARTER, [CHARTER_KEYS[0], "pudong.example/stranger"])[0], DIGEST)
    with pytest.raises(MalformedNote, match="twice"):
        open_charter(signed(CHARTER, [CHARTER_KEYS[0]] * 2)[0], DIGEST)
    text, blank, lines = NOTE.rpartition(b"\n\n")
    wrong = lines.split(b"\n")
    wrong[0] = wrong[0][:-8] + b"AAAAAAA="
    with pytest.raises(VerificationFailed):
        open_charter(text + blank + b"\n".join(wrong), DIGEST)


def test_every_truncation_and_changed_bytes_are_refused() -> None:
    """No shorter note, and none with another byte, opens where every signature is needed."""
    note, _ = signed(CHARTER, CHARTER_KEYS[:2])
    assert open_charter(note, DIGEST) == CHARTER
    for cut in range(0, len(note), 7):
        with pytest.raises(VerificationFailed):
            open_charter(note[:cut], DIGEST)
    for at in range(len(note)):
        with pytest.raises(VerificationFailed):
            open_charter(note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :], DIGEST)


def test_an_oversize_charter_is_refused() -> None:
    """A note beyond the bound is not even parsed."""
    with pytest.raises(MalformedCharter, match="at most"):
        open_charter(NOTE + b"x" * CHARTER_BYTES_MAX, DIGEST)


@pytest.mark.parametrize(
    ("charter", "what"),
    [
        (msgspec.structs.replace(CHARTER, threshold=1), "threshold 1 of 3 keys"),
        (msgspec.structs.replace(CHARTER, threshold=0), "threshold 0 of 3 keys"),
        (msgspec.structs.replace(CHARTER, threshold=-2), "threshold -2 of 3 keys"),
        (msgspec.structs.replace(CHARTER, threshold=4), "threshold 4 of 3 keys"),
        (msgspec.structs.replace(CHARTER, threshold=1, charter_keys=CHARTER.charter_keys[:2]), "threshold 1 of 2"),
        (msgspec.structs.replace(CHARTER, version=0), "version 0"),
        (msgspec.structs.replace(CHARTER, issued=CHARTER.issued.replace(tzinfo=None)), "its term does not read"),
        (msgspec.structs.replace(CHARTER, expires=CHARTER.expires.replace(tzinfo=None)), "its term does not read"),
        (msgspec.structs.replace(CHARTER, expires=CHARTER.issued), "its term does not read"),
        (msgspec.structs.replace(CHARTER, bureau=()), "bureau"),
        (msgspec.structs.replace(CHARTER, bureau=(MARKET, MARKET)), "one id stands twice"),
        (msgspec.structs.replace(CHARTER, auditor=(Auditor("taxation", FULL.auditor[0].key),)), "one id stands twice"),
        (msgspec.structs.replace(CHARTER, auditor=(Auditor("Audit", FULL.auditor[0].key),)), "not a bureau id"),
        (msgspec.structs.replace(CHARTER, auditor=(Auditor("audit", "no key"),)), "not a verifier key"),
        (with_bureau(id="Market"), "is not a bureau id"),
        (with_bureau(id=NOBODY), "the id nobody-yet"),
        (msgspec.structs.replace(CHARTER, auditor=(Auditor(HOLDERS, FULL.auditor[0].key),)), "the id charter-holders"),
        (with_bureau(origin="pudong"), "is not an origin"),
        (with_bureau(credit_code="113101150000000190"), "the check digit"),
        (with_bureau(credit_code="1131"), "is not a unified social credit code"),
        (with_bureau(ledger_key=TAXATION.ledger_key), "is pudong.example/taxation, algorithm 1"),
        (with_bureau(witness_key=MARKET.registrar_key), "is pudong.example/market-regulation/registrar, algorithm 1"),
        (
            with_bureau(witness_key=PLAIN_WITNESS),
            "witness, algorithm 1; expected pudong.example/market-regulation/witness, 4",
        ),
        (with_bureau(registrar_key="x"), "is not a verifier key"),
        (with_bureau(floor=Floor(size=-1, root=base64.b64encode(bytes(32)).decode())), "the size is -1"),
        (with_bureau(floor=Floor(size=1, root="AAAA")), "the root has the wrong length"),
        (with_bureau(floor=Floor(size=1, root="A")), "base64"),
        (with_bureau(state="asleep"), "Invalid enum value 'asleep'"),
    ],
)
def test_what_cannot_be_a_charter_is_named(charter: Charter, what: str) -> None:
    """Thresholds, terms, ids, origins, codes, key names and floors are checked, each with its own sentence."""
    assert what in refusal(charter)


def test_no_two_bureaus_share_an_origin() -> None:
    """A second bureau under another id does not get the first one's ledger."""
    twin = LedgerMaker(bureau="taxation")
    keys = {
        field: VerifierKey.of(f"{MARKET.origin}{suffix}", twin.keys[name].public, algorithm).format()
        for field, suffix, name, algorithm in (
            ("ledger_key", "", "node", ED25519),
            ("witness_key", "/witness", "witness", COSIGNATURE_V1),
            ("registrar_key", "/registrar", "registrar", ED25519),
        )
    }
    other = msgspec.structs.replace(TAXATION, origin=MARKET.origin, **keys)
    assert "one origin stands twice" in refusal(charter_of(MARKET, other))


@pytest.mark.parametrize("name", ["node", "witness", "registrar"])
def test_no_public_key_stands_under_two_names(name: str) -> None:
    """A key of a bureau does not serve another bureau, another office of its own, the charter or an auditor."""
    key = LedgerMaker().keys[name].public
    market, charter_key, auditor = (
        VerifierKey.of(f"{MARKET.origin}/witness", key, COSIGNATURE_V1).format(),
        VerifierKey.of(CHARTER_KEYS[0], key).format(),
        VerifierKey.of("pudong.example/audit", key).format(),
    )
    charters = [
        msgspec.structs.replace(CHARTER, charter_keys=(charter_key, *CHARTER.charter_keys[1:])),
        msgspec.structs.replace(CHARTER, auditor=(Auditor("audit-office", auditor),)),
        charter_of(MARKET, msgspec.structs.replace(TAXATION, ledger_key=VerifierKey.of(TAXATION.origin, key).format())),
    ]
    if name != "witness":
        charters.append(with_bureau(witness_key=market))
    for charter in charters:
        assert "one key stands twice" in refusal(charter)


Edit = Callable[[str], str]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.removeprefix(HEADER),
        lambda text: text.replace("/v1", "/v2", 1),
        lambda text: "\n" + text,
        lambda text: text.replace("version = 1", "version = 1\ncolour = 3"),
        lambda text: text.replace("[[bureau]]", "[[bureau]]\ncolour = 3", 1),
        lambda text: text.replace("[bureau.name]", "[bureau.name]\nfr = 'x'", 1),
        lambda text: text.replace("threshold = 2", "threshold = 2\nthreshold = 2"),
        lambda text: text.replace("threshold = 2", "threshold = '2'"),
        lambda text: text.replace("threshold = 2", ""),
        lambda text: text.replace("threshold = 2", "threshold = " + "9" * 5_000),
        lambda text: text.replace("threshold = 2", "threshold = 2.0e400"),
        lambda text: text.replace('name = "pudong"', 'name = "pudong'),
        lambda text: text.replace("2027-01-01", "2027-02-30"),
        lambda text: text.replace("version = 1", "version = true"),
        lambda text: HEADER + "a = " + "[" * 100_000,
        lambda text: HEADER + "\x00",
        lambda text: HEADER,
    ],
)
def test_a_text_that_is_no_charter_is_refused(edit: Edit) -> None:
    """Unknown, doubled, missing or mistyped fields, broken TOML and another header end in one error."""
    text = format_charter(CHARTER)
    assert edit(text) != text
    assert refusal(edit(text))


@given(st.text(max_size=80))
def test_garbage_is_no_charter(garbage: str) -> None:
    """Arbitrary text, after the header too, is refused and raises nothing else."""
    for text in (garbage, HEADER + garbage, format_charter(CHARTER) + "[x]\n" + garbage):
        with pytest.raises(MalformedCharter):
            parse_charter(text)
    with pytest.raises(VerificationFailed):
        open_charter(garbage.encode(errors="replace"), DIGEST)


def test_a_term_ends_at_its_very_microsecond() -> None:
    """A charter is expired from the moment it names, and not a microsecond before."""
    ends_us = int(CHARTER.expires.timestamp()) * 1_000_000
    assert not CHARTER.expired(ends_us - 1)
    assert CHARTER.expired(ends_us)


def test_bureaus_are_found_by_id_and_origin() -> None:
    """Id and origin find the bureau, and nothing else does; the error lists who there is."""
    assert CHARTER.by_id("taxation") is CHARTER.by_origin(TAXATION.origin) is CHARTER.bureau[1]
    with pytest.raises(NotFound, match=r"no bureau 'x'; expected one of market-regulation, taxation"):
        CHARTER.by_id("x")
    with pytest.raises(NotFound, match="no ledger"):
        CHARTER.by_origin("taxation")
    many = charter_of(*(LedgerMaker(bureau=f"b{number}").bureau for number in range(14)))
    with pytest.raises(NotFound, match=r"b11, …$"):
        many.by_id("x")


def test_a_bureau_has_its_keys_and_names() -> None:
    """Verifier keys come out of their text, and labels are the shortest name of the language."""
    maker = LedgerMaker()
    assert MARKET.ledger_verifier == VerifierKey.of(maker.origin, maker.keys["node"].public)
    assert MARKET.registrar_public == maker.keys["registrar"].public
    assert (MARKET.label("zh"), MARKET.label("en")) == ("市场监管局", "Market Regulation Bureau")
    unshortened: Bureau = msgspec.structs.replace(MARKET, name=Name(zh="税务局", en="Taxation"))
    assert unshortened.label("zh") == "税务局"


def test_terms_may_be_in_any_time_zone() -> None:
    """Issue and expiry are compared as moments, wherever they were written."""
    late = datetime(2028, 1, 1, 7, 59, tzinfo=timezone(timedelta(hours=8)))
    charter = msgspec.structs.replace(CHARTER, issued=late, expires=datetime(2028, 1, 1, tzinfo=UTC))
    assert parse_charter(format_charter(charter)).issued == late
    assert "its term" in refusal(msgspec.structs.replace(charter, issued=late + timedelta(minutes=1)))
