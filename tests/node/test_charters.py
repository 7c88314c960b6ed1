"""Versions of the charter among nodes: a later one changes nothing, two of one number freeze, the rest is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tallystick.core.charter_chain import Version, read_version
from tallystick.core.errors import NotAllowed
from tallystick.core.note import sign_note
from tallystick.sdk.ledgers import Ledgers
from tests.harness.company import Company
from tests.harness.office import key_of
from tests.harness.versions import after, twins
from tests.harness.waiting import until
from tests.harness.witnesses import gathered, record

MARKET, TAX, PLANNING, AUDIT = "market", "taxation", "planning", "audit"
FROZEN = "signed two versions 2"
Log = list[Any]


@pytest.fixture
def log() -> Iterator[Log]:
    with capture_logs() as log:
        yield log


@pytest.fixture
def company(tmp_path: Path, log: Log) -> Iterator[Company]:
    """Four bureaus, each a witness of the other three."""
    with Company(tmp_path, MARKET, TAX, PLANNING, AUDIT) as company:
        yield company


@pytest.fixture
def first(company: Company) -> Version:
    """The version they all go by."""
    return company.offices[MARKET].versions()[0]


def kept(company: Company, bureau: str) -> list[Path]:
    """The files of what a node heard."""
    return sorted(company[bureau].home.folder.glob("charter-*"))


def said(log: Log, event: str) -> int:
    return sum(event in line["event"] for line in log)


def test_a_later_version_is_told_once_and_changes_nothing(company: Company, first: Version, log: Log) -> None:
    """Its note is kept where `adopt` takes it; it is asked for once; both sides go on recording and cosigning."""
    second = after(first)
    company.go_by(PLANNING, first, second)
    for _ in range(3):
        company.swap(MARKET, PLANNING)
        company.swap(PLANNING, MARKET)
    (file,) = kept(company, MARKET)
    assert (file.name, file.read_bytes()) == ("charter-later-2.note", second.note)
    assert said(log, "a later version of the charter") == 1
    assert company[PLANNING].calls.count("GetCharter") == 1
    assert not kept(company, PLANNING)
    for each in (MARKET, PLANNING):
        assert gathered(company[each], record(company[each], 1).size) is not None
    company.swap(TAX, MARKET)
    assert kept(company, TAX), "who holds it tells of it, whether he goes by it or not"


def test_two_versions_of_one_number_freeze_who_goes_by_one(company: Company, first: Version, log: Log) -> None:
    """It records and cosigns nothing, also after a restart; it is read, swaps, and the others go on."""
    one, other = twins(first)
    company.go_by(MARKET, first, one)
    company.go_by(TAX, first, other)
    company.swap(MARKET, TAX)
    for _ in range(2):
        with pytest.raises(NotAllowed, match=FROZEN):
            record(company[MARKET], 1)
        size = record(company[PLANNING], 1).size
        until(lambda: any(FROZEN in str(line.get("reason")) for line in log if line["event"] == "cannot follow"))
        assert gathered(company[PLANNING], size) is not None
        log.clear()
        company.restart(MARKET)
    (file,) = kept(company, MARKET)
    assert read_version(file.read_bytes()).digest == other.digest
    with Ledgers.open(company.profile("auditor")) as ledgers:
        assert ledgers[MARKET].refresh().size == 3
    company.swap(AUDIT, MARKET)
    with pytest.raises(NotAllowed, match=FROZEN):
        record(company[AUDIT], 1)


def test_a_version_after_the_two_lifts_it_and_one_of_the_two_does_not(company: Company, first: Version) -> None:
    """Heard of two it goes by neither of, a node is frozen; by one of them still; by the one after, no more."""
    one, other = twins(first)
    company.go_by(TAX, first, one)
    company.go_by(PLANNING, first, other)
    company.swap(MARKET, TAX)
    record(company[MARKET], 1)
    company.swap(MARKET, PLANNING)
    assert len(kept(company, MARKET)) == 2
    for versions in ((first,), (first, one), (first, other)):
        company.go_by(MARKET, *versions)
        with pytest.raises(NotAllowed, match=FROZEN):
            record(company[MARKET], 1)
    company.go_by(MARKET, first, one, after(one))
    company.swap(MARKET, PLANNING)
    record(company[MARKET], 1)


@pytest.mark.parametrize("how", ["removed", "spoiled", "unsigned"])
def test_what_is_kept_is_judged_again_at_every_start(company: Company, first: Version, how: str) -> None:
    """A file that is gone, or proves nothing, freezes nobody."""
    one, other = twins(first)
    company.go_by(MARKET, first, one)
    company.go_by(TAX, first, other)
    company.swap(MARKET, TAX)
    (file,) = kept(company, MARKET)
    match how:
        case "removed":
            file.unlink()
        case "spoiled":
            file.write_bytes(file.read_bytes()[:-9])
        case _:
            file.write_bytes(stranger(other))
    company.restart(MARKET)
    record(company[MARKET], 1)


@pytest.mark.parametrize("what", ["garbage", "unsigned", "nothing", "gap"])
def test_what_proves_nothing_is_asked_for_once_and_changes_nothing(company: Company, first: Version, what: str) -> None:
    """Neither another's word nor a note that the holders did not sign, nor one of a number further on."""
    second = after(first)
    company.go_by(TAX, *((after(second),) if what == "gap" else (first, second)))

    def lie(answer: Any) -> None:
        answer.note = {"garbage": b"\xff", "unsigned": stranger(second), "nothing": b"", "gap": answer.note}[what]

    company[TAX].lies["GetCharter"] = lie
    for _ in range(3):
        company.swap(MARKET, TAX)
    assert company[TAX].calls.count("GetCharter") == (0 if what == "gap" else 1)
    assert not kept(company, MARKET)
    record(company[MARKET], 1)


def stranger(version: Version) -> bytes:
    """A version's text as somebody signed it who holds no key."""
    text = version.note.decode().partition("\n\n")[0] + "\n"
    return sign_note(text, ("pudong.example/charter", key_of("nobody")))
