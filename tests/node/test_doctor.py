"""fsck: clean where nothing was altered; where anything was, the place, what was expected there and what was found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tallystick.core.commitment import Place, commit
from tallystick.core.entry import decode_entry, encode_at, encode_entry, encode_signed
from tallystick.core.errors import NotFound, StorageFailed
from tallystick.core.hashing import chain_hash, leaf_hash
from tallystick.core.submission import Prepared, prepare
from tallystick_node import doctor, keyspace
from tallystick_node.ledger import Ledger
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch, Store
from tallystick_proto.v1.entry_pb2 import Disclosure
from tallystick_proto.v1.statement_pb2 import Statement
from tallystick_proto.v1.storage_pb2 import Segment
from tests.harness.office import NOW_US, Office

OFFICE = Office()
DISCLOSURES = OFFICE.disclosures()


def used(subject: bytes) -> Prepared:
    """A use of data with a committed subject, and the disclosure that opens it."""
    id, salt, path = OFFICE.new_id(), bytes(range(32)), "data_used.subject"
    said = []
    disclosures = []
    for position in range(2):
        commitment = commit(Place(OFFICE.origin, id, position, path), salt, subject)
        statement = OFFICE.say("use", resource="A", purpose="p")
        said.append(_with_subject(statement, commitment))
        disclosures.append(Disclosure(position=position, field=path, salt=salt, value=subject))
    return prepare(OFFICE.submission(said, id=id, disclosures=disclosures), OFFICE.origin)


def _with_subject(statement: bytes, commitment: bytes) -> bytes:
    parsed = Statement.FromString(statement)
    parsed.data_used.subject = commitment
    return parsed.SerializeToString()


@dataclass
class Disk:
    """A database as it was left, the note beside it, and its entries."""

    store: MemoryStore
    signed: SignedSize
    entries: list[bytes]

    def check(self, *changes: tuple[bytes, bytes | None]) -> doctor.Report:
        """What fsck says after some keys were put, or deleted (None)."""
        store = self.store.reopened()
        batch = Batch()
        for key, value in changes:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        store.write(batch)
        report = doctor.check(store, self.signed, OFFICE.bureau, disclosures=DISCLOSURES)
        for difference in report.differences:
            assert difference.place
            assert difference.expected
            assert difference.found
            assert str(difference).startswith(f"{difference.place}: expected ")
        return report

    def items(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        return [(key, value) for key, value in self.store.range(prefix, None) if key.startswith(prefix)]


def grow(store: Store, noted: Path, commits: list[list[Prepared]]) -> tuple[Ledger, SignedSize]:
    ledger = Ledger.create(store, OFFICE.origin)
    signed = SignedSize.create(noted, OFFICE.origin)
    for submissions in [OFFICE.founding(), *commits]:
        built = ledger.build(submissions, NOW_US + ledger.state.size)
        for submission, first in zip(submissions, built.firsts, strict=True):
            DISCLOSURES.keep(submission, first, built.batch)
        store.write(built.batch)
        signed.note(built.state.size, built.state.root)
        ledger.adopt(built)
    return ledger, signed


def disk_of(folder: Path, commits: list[list[Prepared]]) -> Iterator[Disk]:
    store = MemoryStore()
    ledger, signed = grow(store, folder / "noted", commits)
    yield Disk(store, signed, list(ledger.entries(0, ledger.state.size)))
    signed.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """Some twelve entries: every sort of key but a tile."""
    commits = [
        [OFFICE.prepared(OFFICE.declares(3))],
        [used(b"310115198001011234"), OFFICE.prepared(OFFICE.declares(1))],
        [OFFICE.prepared([OFFICE.registers("deputy"), OFFICE.revokes("deputy")], "registrar")],
    ]
    yield from disk_of(tmp_path_factory.mktemp("small"), commits)


@pytest.fixture(scope="module")
def tiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """A full tile, more than a segment's worth of everything, and runs that were merged."""
    commits = [[OFFICE.prepared(OFFICE.declares(20))] for _ in range(13)]
    yield from disk_of(tmp_path_factory.mktemp("tiled"), commits)


def flips(value: bytes, offsets: Iterator[int] | range, random: Random) -> Iterator[tuple[int, bytes]]:
    """The value with one byte altered, at each offset."""
    for offset in offsets:
        byte = bytes([value[offset] ^ random.choice([1, 0x80, random.randint(1, 255)])])
        yield offset, value[:offset] + byte + value[offset + 1 :]


def test_what_was_never_altered_is_clean(small: Disk, tiled: Disk) -> None:
    """Databases as the writer left them have no differences."""
    for disk in (small, tiled):
        report = disk.check()
        assert report.differences == []
        assert (report.clean, report.size, report.origin) == (True, len(disk.entries), OFFICE.origin)
        assert report.first_difference is None


def test_random_histories_are_clean(tmp_path: Path) -> None:
    """Whatever was recorded, in commits of any sizes, past merges of runs and removals of merged ones."""
    random = Random(7)
    for number in range(4):
        commits = []
        for _ in range(random.choice([3, 20, 40])):
            commits.append(
                [OFFICE.prepared(OFFICE.declares(random.randint(1, 25))) for _ in range(random.randint(1, 3))]
            )
            if random.random() < 0.2:
                commits[-1].append(used(b"somebody"))
        for disk in disk_of(_made(tmp_path / str(number)), commits):
            assert disk.check().differences == []


def _made(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    "prefix", [keyspace.SEGMENT, b"p", b"r", keyspace.STATE, keyspace.DISCLOSURE, keyspace.DATA_KEY]
)
def test_every_altered_byte_is_named(small: Disk, prefix: bytes) -> None:
    """Each single byte of each segment, posting list, run block, disclosure and of the state record."""
    items, random = small.items(prefix), Random(3)
    assert items
    for key, value in items:
        for offset, altered in flips(value, range(len(value)), random):
            assert not small.check((key, altered)).clean, f"{key.hex()}, byte {offset}"


def test_every_hash_of_a_tile_is_held_against_its_entry(tiled: Disk) -> None:
    """One byte altered in a tile's hash: the leaf and its entry are named, and the entry is not accused."""
    ((key, value),) = tiled.items(keyspace.TILE)
    random = Random(4)
    for offset, altered in flips(value, range(0, len(value), 32 * 5 + 3), random):
        leaf = offset // 32
        report = tiled.check((key, altered))
        named = [difference.place for difference in report.differences]
        assert f"tile 0/0, leaf {leaf}, of {OFFICE.origin}#{leaf}" in named
        assert report.first_difference is None


def test_an_altered_entry_is_named_at_its_own_index(tiled: Disk) -> None:
    """A byte of any entry, also in the middle of a submission or a segment: that entry is named, and none before it."""
    random = Random(5)
    for key, value in tiled.items(keyspace.SEGMENT):
        first, entries = keyspace.segment_first(key), Segment.FromString(value).entry
        for position in {0, random.randrange(len(entries)), len(entries) - 1}:
            raw = entries[position]
            for _, altered in flips(raw, iter([random.randrange(len(raw))]), random):
                segment = Segment.FromString(value)
                segment.entry[position] = altered
                report = tiled.check((key, segment.SerializeToString()))
                index = first + position
                assert report.first_difference is not None
                assert report.first_difference.index == index
                assert report.first_difference.leaf == leaf_hash(raw)
                assert report.differences[0].place == f"{OFFICE.origin}#{index}"


def test_a_history_rewritten_whole_is_still_told(small: Disk, tmp_path: Path) -> None:
    """Entries put in another's place with chain, tree, index and state made to fit: signatures and the note tell."""
    forged = OFFICE.prepared(OFFICE.declares(3, "Z"))
    raws = small.entries
    opening = decode_entry(raws[3])
    assert opening.signed is not None
    forged_first = encode_entry(
        3, opening.prev, encode_at(opening.recorded_at_us), forged.statements[0], encode_signed(opening.signed)
    )
    assert chain_hash(forged_first) != chain_hash(raws[3])
    store = MemoryStore()
    _, signed = grow(store, tmp_path / "noted", [[forged]])
    state = store.get(keyspace.STATE) or b""
    report = doctor.check(store, small.signed, OFFICE.bureau)
    assert any("signed" in difference.found + difference.expected for difference in report.differences)
    segment = Segment.FromString(store.get(keyspace.segment(3)) or b"")
    segment.entry[0] = forged_first
    batch = Batch()
    batch.put(keyspace.segment(3), segment.SerializeToString())
    batch.put(keyspace.STATE, state)
    store.write(batch)
    report = doctor.check(store, signed, OFFICE.bureau)
    signed.close()
    assert report.first_difference is not None
    assert report.first_difference.index == 3


def test_a_bad_signature_under_a_sound_tree_is_named(tmp_path: Path) -> None:
    """A submission its author never signed, chained and hashed by the node itself, is named where it ends."""
    good = OFFICE.prepared(OFFICE.declares(3))
    good.statements[1] = OFFICE.declare("never-signed")
    for disk in disk_of(tmp_path, [[good]]):
        report = disk.check()
        assert [difference.place for difference in report.differences] == [
            f"{OFFICE.origin}#5: the submission of market:clerk"
        ]


def test_every_dropped_key_is_named(small: Disk, tiled: Disk) -> None:
    """Any key is missed when it is gone; of a disclosure, either half without the other."""
    keys = [key for key, _ in small.store.range(b"", None)]
    assert {key[:1] for key in keys} == {b"d", b"e", b"k", b"p", b"r", b"z"}
    for key in keys:
        assert not small.check((key, None)).clean, key.hex()
    for prefix in (b"e", b"p", b"r", b"t"):
        for key, _ in Random(9).sample(tiled.items(prefix), 1 if prefix == b"t" else 5):
            assert not tiled.check((key, None)).clean, key.hex()


def test_a_disclosure_that_is_gone_whole_is_not_missed(small: Disk) -> None:
    """A ledger need not have it: it was erased, or never handed over."""
    for key, _ in small.items(keyspace.DISCLOSURE):
        assert small.check((key, None), (keyspace.DATA_KEY + key[1:], None)).clean


def test_without_their_key_disclosures_are_counted_and_not_opened(small: Disk) -> None:
    """Half of one is missed all the same, as is one of no commitment."""
    report = doctor.check(small.store.reopened(), small.signed, OFFICE.bureau)
    assert (report.clean, report.unopened) == (True, 2)
    batch = Batch()
    batch.delete(small.items(keyspace.DATA_KEY)[0][0])
    batch.put(keyspace.disclosure(0, "data_used.subject"), b"")
    store = small.store.reopened()
    store.write(batch)
    report = doctor.check(store, small.signed, OFFICE.bureau)
    assert len(report.differences) == 2
    assert report.unopened == 1


def test_every_added_key_is_named(small: Disk) -> None:
    """A key that no entry explains is named, wherever it stands, whatever it holds."""
    random = Random(6)
    keys = [key for key, _ in small.store.range(b"", None)]
    strangers = [bytes([number]) for number in range(256)] + [b"", b"\x00", b"zz", b"e", b"t", b"\xff" * 20]
    for key in keys:
        strangers += [
            key + b"\x00",
            key[:-1],
            key[:-1] + bytes([key[-1] ^ random.randint(1, 255)]),
            key[:1] + b"\xff" * 8,
        ]
    for key in set(strangers) - set(keys):
        value = random.choice([b"", b"\x00" * 32, small.store.get(random.choice(keys)) or b""])
        assert not small.check((key, value)).clean, key.hex()


def test_exchanged_values_are_named(small: Disk) -> None:
    """Two keys of a sort that hold each other's values are told, unless the values are alike."""
    for prefix in (b"e", b"p", b"r", b"d", b"k"):
        items = small.items(prefix)
        for (one, value), (other, another) in pairwise(items):
            if value != another:
                assert not small.check((one, another), (other, value)).clean


def test_differences_are_bounded(tiled: Disk) -> None:
    """A database with everything wrong is told in a bounded number of lines."""
    changes = [(key, bytes(len(value))) for key, value in tiled.items(b"p")]
    report = tiled.check(*changes, *[(b"s" + bytes([n, m]), b"") for n in range(20) for m in range(20)])
    assert 0 < len(report.differences) <= doctor.report.DIFFERENCES_MAX


def test_progress_is_told_to_the_end(tiled: Disk) -> None:
    """Whoever asks hears how far the check is, up to the last entry."""
    told: list[tuple[int, int]] = []
    doctor.check(tiled.store, tiled.signed, OFFICE.bureau, (), lambda done, of: told.append((done, of)))
    assert told[-1] == (len(tiled.entries), len(tiled.entries))
    assert told == sorted(told)


def damages(files: list[Path]) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Ways to damage each of a database's files."""
    random = Random(8)

    def flip(name: str, offset: int) -> Callable[[Path], None]:
        def damage(folder: Path) -> None:
            data = bytearray((folder / name).read_bytes())
            data[offset] ^= random.randint(1, 255)
            (folder / name).write_bytes(data)

        return damage

    def cut(name: str, length: int) -> Callable[[Path], None]:
        return lambda folder: os.truncate(folder / name, length)

    for file in files:
        size = file.stat().st_size
        for offset in sorted(random.sample(range(size), min(size, 12))):
            yield f"{file.name} flipped at {offset} of {size}", flip(file.name, offset)
        for length in sorted({0, size // 3, size - 1}):
            yield f"{file.name} cut to {length} of {size}", cut(file.name, length)
        yield f"{file.name} deleted", lambda folder, name=file.name: (folder / name).unlink()  # type: ignore[misc]


def test_raw_damage_never_loses_anything_in_silence(tmp_path: Path) -> None:
    """Flip, cut or delete any file: opening is refused, or reading is, or fsck names it, or nothing is lost at all."""
    folder = tmp_path / "database"
    store = LevelDbStore.create(folder)
    ledger, signed = grow(store, tmp_path / "noted", [[OFFICE.prepared(OFFICE.declares(40))] for _ in range(12)])
    entries = list(ledger.entries(0, ledger.state.size))
    store.close()
    store = LevelDbStore.open(folder)  # what was in the log is in a table now
    ledger = Ledger.open(store, OFFICE.origin)
    built = ledger.build([OFFICE.prepared(OFFICE.declares(5))], NOW_US)
    store.write(built.batch)
    signed.note(built.state.size, built.state.root)
    entries += Ledger.open(store, OFFICE.origin).entries(len(entries), built.state.size)
    store.close()
    files = sorted(path for path in folder.iterdir() if path.name not in ("LOCK", "LOG", "LOG.old"))
    kinds = {path.name.partition("-")[0] if path.suffix == "" else path.suffix for path in files}
    assert kinds == {"CURRENT", "MANIFEST", ".log", ".ldb"}
    outcomes = {"refused to open": 0, "named": 0, "nothing lost": 0}
    for number, (what, damage) in enumerate(damages(files)):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(folder, copy)
        damage(copy)
        outcomes[_outcome(copy, signed, entries, what)] += 1
        shutil.rmtree(copy)
    signed.close()
    assert outcomes["refused to open"]
    assert outcomes["named"]


def _outcome(folder: Path, signed: SignedSize, entries: list[bytes], what: str) -> str:
    try:
        store = LevelDbStore.open(folder)
    except StorageFailed:
        return "refused to open"
    try:
        report = doctor.check(store, signed, OFFICE.bureau)
        try:
            read = list(Ledger.open(store, OFFICE.origin).entries(0, len(entries)))
        except (StorageFailed, NotFound):  # damaged, or shorter
            read = None
        assert read is None or read == entries, what
        if report.clean:
            assert read == entries, what
            return "nothing lost"
        return "named"
    finally:
        store.close()
