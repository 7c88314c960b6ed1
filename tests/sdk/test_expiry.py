"""A charter that expires ends the reading that goes on under it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tallystick.core.errors import CharterMismatch
from tallystick.sdk import ledger_trust
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tests.harness.desk import Desk, desk_in
from tests.harness.office import NOW_US


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as made:
        yield made


@pytest.fixture
def reader(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LedgerReader]:
    """A reader under a charter that expires a second after its clock's first moment."""
    monkeypatch.setattr(ledger_trust, "now_us", lambda: NOW_US)
    trust = TrustStore(tmp_path / "expiring", NOW_US + 1_000_000)
    with closing(LedgerReader(Wire(desk.node.bureau), trust)) as made:
        yield made


def expire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_trust, "now_us", lambda: NOW_US + 1_000_000)


def test_a_watch_ends_when_the_charter_expires(
    desk: Desk, reader: LedgerReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first checkpoint after that moment is not trusted any more."""
    with closing(reader.watch()) as watching:
        size = next(watching).size
        desk.record(1)
        assert next(watching).size == size + 1
        expire(monkeypatch)
        desk.record(1)
        with pytest.raises(CharterMismatch, match="expired meanwhile"):
            next(watching)
    assert reader.trusted.size == size + 1


def test_what_is_followed_ends_when_the_charter_expires(
    desk: Desk, reader: LedgerReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded after that moment is not shown any more, nor is the ledger read anew."""
    following = reader.find(first=22, follow=True)
    assert next(following).entry.index == 22
    expire(monkeypatch)
    desk.record(1)
    with pytest.raises(CharterMismatch, match="expired meanwhile"):
        next(following)
    with pytest.raises(CharterMismatch, match="expired meanwhile"):
        reader.refresh()
