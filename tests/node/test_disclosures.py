"""Disclosures at rest: sealed each under its own key, to its place; opened by the node's key alone."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path
from random import Random

import pytest

from tallystick.core.errors import ConfigInvalid, StoreDamaged
from tallystick.core.limits import STATEMENT_BYTES_MAX
from tallystick.core.submission import Prepared
from tallystick.sdk.key_file import generate_key
from tallystick_node import keyspace
from tallystick_node.disclosures import NOTHING, Disclosures, Sealed, put_sealed, read_sealed, sealed_within
from tallystick_node.server import Node
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tallystick_proto.v1.entry_pb2 import Disclosure, Signature
from tests.harness.office import key_of
from tests.harness.small_home import new_home

FIELD, OTHER = "data_used.subject", "duty_assigned.person"
ORIGIN = "pudong.example/market"
KEY = key_of("disclosure")
VALUES = (b"", b"1", b"310115198001011234", "王小明".encode(), bytes(range(64)), bytes(STATEMENT_BYTES_MAX))


def disclosures(origin: str = ORIGIN, key: str = "disclosure", seed: int = 1) -> Disclosures:
    return Disclosures(origin, key_of(key), Random(seed))


def stored(*values: bytes, first: int = 7, by: Disclosures | None = None) -> MemoryStore:
    """A database with these values as the subjects of adjacent entries."""
    opening = tuple(
        Disclosure(position=position, field=FIELD, salt=bytes([position]) * 32, value=value)
        for position, value in enumerate(values)
    )
    store, batch = MemoryStore(), Batch()
    (by or disclosures()).keep(Prepared("market:clerk", Signature(), [], [], [], opening, 0), first, batch)
    store.write(batch)
    return store


def test_what_was_sealed_is_opened_byte_for_byte() -> None:
    """Of any length, one by one and by the range."""
    store = stored(*VALUES)
    within = sealed_within(store, 7, 7 + len(VALUES))
    for position, value in enumerate(VALUES):
        sealed = read_sealed(store, 7 + position, FIELD)
        assert within(7 + position, FIELD) == sealed
        assert disclosures().open(7 + position, FIELD, sealed) == (bytes([position]) * 32, value)
    for index, field in ((6, FIELD), (7 + len(VALUES), FIELD), (7, OTHER)):
        assert within(index, field) == read_sealed(store, index, field) == NOTHING
        assert disclosures().open(index, field, NOTHING) is None


def test_nothing_of_a_value_is_stored() -> None:
    """Neither it, nor its salt, nor its data key; and no two disclosures share a record, whatever their values."""
    chance = Random(5)
    store = stored(*[b"310115198001011234"] * 50, by=Disclosures(ORIGIN, KEY, chance))
    records = [value for _, value in store.range(b"", None)]
    assert len(set(records)) == len(records) == 100
    whole = b"".join(records)
    again = Random(5)
    for position in range(50):
        key, _ = again.randbytes(32), again.randbytes(12)
        for secret in (b"310115198001011234", bytes([position]) * 32, key, KEY.derive("tallystick disclosure key v1")):
            assert secret not in whole


def test_the_length_of_a_record_tells_steps_of_64_bytes() -> None:
    """A name of two characters and one of ten look alike."""
    lengths: Counter[int] = Counter()
    for length in range(158):
        sealed = read_sealed(stored(bytes(length)), 7, FIELD).value
        assert sealed is not None
        lengths[len(sealed) - 16] += 1
    assert lengths == {64: 31, 128: 64, 192: 63}


def test_who_has_another_key_opens_nothing() -> None:
    """Nor the same key for another ledger; the error says so, and holds nothing of what is sealed."""
    store = stored(b"citizen 1")
    for other in (disclosures(key="another"), disclosures(origin="pudong.example/taxation")):
        with pytest.raises(
            StoreDamaged, match="cannot be opened; expected what was sealed under this node's"
        ) as raised:
            other.open(7, FIELD, read_sealed(store, 7, FIELD))
        assert "citizen" not in repr(raised.value)


def test_no_record_opens_at_another_place() -> None:
    """Whichever of the two is moved to another entry or field, or exchanged for another's."""
    store = stored(b"citizen 1", b"citizen 2")
    one, two = read_sealed(store, 7, FIELD), read_sealed(store, 8, FIELD)
    moved = [(8, FIELD, one), (7, OTHER, one), (7, FIELD, Sealed(one.value, two.key)), (7, FIELD, (two.value, one.key))]
    for index, field, sealed in moved:
        with pytest.raises(StoreDamaged, match="opened"):
            disclosures().open(index, field, Sealed(*sealed))


def test_every_altered_cut_or_missing_record_is_the_disks_fault() -> None:
    """Every byte of both records, every length of either, and half of a disclosure."""
    sealed = read_sealed(stored(b"citizen 1"), 7, FIELD)
    assert sealed.value is not None
    assert sealed.key is not None
    bad = [Sealed(None, sealed.key), Sealed(sealed.value, None)]
    for number, data in enumerate(sealed):
        assert data is not None
        for at, how in product(range(len(data)), ("flipped", "cut")):
            altered = data[:at] if how == "cut" else data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            bad.append(Sealed(altered, sealed.key) if number == 0 else Sealed(sealed.value, altered))
    for each in bad:
        with pytest.raises(StoreDamaged, match=f"{ORIGIN}#7"):
            disclosures().open(7, FIELD, each)


def test_a_node_does_not_start_under_another_disclosure_key(tmp_path: Path) -> None:
    """Where a disclosure is sealed under the right one: it could neither open that nor be opened with it later."""
    settings = new_home(tmp_path / "market")
    path = settings.place(settings.config.keys.disclosure)
    assert path.stat().st_mode & 0o777 == 0o600
    Node.open(settings).close()
    store = LevelDbStore.open(settings.database)
    batch, right = Batch(), Disclosures(ORIGIN, key_of("right"), Random(3))
    put_sealed(batch, 7, FIELD, read_sealed(stored(b"citizen 1", by=right), 7, FIELD))
    store.write(batch)
    store.close()
    with pytest.raises(ConfigInvalid, match="not the key under which the disclosures of") as raised:
        Node.open(settings)
    assert str(path) in str(raised.value)
    path.unlink()
    with pytest.raises(ConfigInvalid, match="key"):
        Node.open(settings)
    generate_key(path)
    with pytest.raises(ConfigInvalid, match="not the key"):
        Node.open(settings)


def test_the_keys_of_records_name_their_place() -> None:
    """And nothing else parses as one."""
    for index, field in ((0, ""), (7, FIELD), (2**63, OTHER)):
        for key in (keyspace.disclosure(index, field), keyspace.data_key(index, field)):
            assert keyspace.parse_place_in_entry(key) == (index, field)
    for short in (b"d", b"k" + bytes(7), b"d" + bytes(8) + b"\xff"):
        with pytest.raises(ValueError, match=r"too short|utf-8"):
            keyspace.parse_place_in_entry(short)
