"""What client and node keep in files and databases, in whatever state a disk or a hand has left it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from google.protobuf.message import DecodeError

from tallystick.core.identifiers import check_origin
from tallystick.sdk.file_names import file_name
from tallystick.sdk.heard_versions import HeardVersions
from tallystick.sdk.importers.json_file import parse_json
from tallystick.sdk.key_file import generate_key, is_encrypted, load_key
from tallystick.sdk.passphrase import Passphrase
from tallystick.sdk.spool import Spool, spool_folder
from tallystick.sdk.trust_store import TrustStore
from tallystick_node import keyspace, postings
from tallystick_node.ledger import Ledger
from tallystick_node.pieces import put_together
from tallystick_node.runs import Runs
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import Receipt
from tallystick_proto.v1.operate_pb2 import BackupPiece, BackupSeal
from tallystick_proto.v1.spool_pb2 import Spooled
from tallystick_proto.v1.storage_pb2 import Segment
from tests.fuzz.charters import VERSION
from tests.fuzz.proofs import MARKET, maker
from tests.fuzz.target import Target, folder, tried

_FOLDER = folder()
_SPOOL = Spool(_FOLDER / "spool", MARKET.origin, maker().keys["gateway"])
_SEALED = spool_folder(_FOLDER / "spool", MARKET.origin, maker().keys["gateway"])
_TRUST = TrustStore(_FOLDER / "trust")
_NAME = bytes(16)


class _Given(Passphrase):
    """One that nobody is asked for."""

    def opening(self, where: str) -> Iterator[bytes]:
        yield b"passphrase"


def _written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def _spooled(data: bytes) -> None:
    _SPOOL.put(_NAME, Submission())
    (path,) = (_FOLDER / "spool").rglob("*.submission")
    _SEALED.write(path.name, data)
    _check_spool()
    _written(path, data)
    _check_spool()


def _check_spool() -> None:
    left = tried(lambda: list(_SPOOL.left_over()))
    if left:
        tried(_SPOOL.get, left[0].name)


def _trusted(data: bytes) -> None:
    note = _written(_FOLDER / "trust" / f"{file_name(MARKET.origin)}.note", data)
    _written(note.with_suffix(".equivocation"), data)
    tried(_TRUST.evidence, MARKET)
    tried(_TRUST.set_aside_unvouched, MARKET, 2)
    _written(_FOLDER / "heard" / "charter-later-2.note", data)
    heard = tried(HeardVersions, [VERSION], _FOLDER / "heard")
    assert heard is not None


def _key(data: bytes) -> None:
    path = _written(_FOLDER / "a.key", data)
    tried(load_key, path, _Given())
    tried(is_encrypted, path)


def _signed_size(data: bytes) -> None:
    signed = tried(SignedSize.open, _written(_FOLDER / "signed-size", data), MARKET.origin)
    if signed is not None:
        assert len(signed.value[1]) == 32
        assert len(signed.last) <= len(data)
        signed.close()


def _record(data: bytes) -> None:
    store, batch = MemoryStore(), Batch()
    batch.put(keyspace.STATE, data)
    batch.put(keyspace.segment(0), data)
    store.write(batch)
    ledger = tried(Ledger.open, store, MARKET.origin)
    if ledger is not None:
        tried(ledger.entry, 0)
        tried(ledger.root_at, min(ledger.state.size, 1))


def _index(data: bytes) -> None:
    runs = tried(Runs.from_bytes, data)
    if runs is not None:
        assert runs.to_bytes() == data
    tried(postings.decode, postings.key(bytes(8), 7), data)
    tried(postings.decode, data[:17], data[17:])


def _pieces(data: bytes) -> None:
    half = len(data) // 2
    pieces = [BackupPiece.FromString(part) for part in (data, data[:half], data[half:])[: 1 + data[0] % 3]]
    tried(put_together, [*pieces, BackupPiece(seal=BackupSeal())], MemoryStore(), lambda written: None)


def _json(data: bytes) -> None:
    tried(parse_json, data)
    tried(check_origin, data.decode(errors="replace"))


_PARSERS: tuple[Callable[[bytes], None], ...] = (
    _spooled,
    _trusted,
    _key,
    _signed_size,
    _record,
    _index,
    _pieces,
    _json,
)


def kept(data: bytes) -> None:
    """What was kept is read, or refused in a sentence that names it. The first byte says what it is."""
    if len(data) > 1:
        try:
            _PARSERS[data[0] % len(_PARSERS)](data[1:])
        except DecodeError:
            assert _PARSERS[data[0] % len(_PARSERS)] is _pieces  # which come over a wire that parses them


def _seeds() -> Iterator[bytes]:
    submission = maker().submission([maker().use()], "gateway")
    yield b"\0" + Spooled(submission=submission, receipt=Receipt(first=7, count=1)).SerializeToString()
    yield b"\1" + maker().note()
    yield b"\1" + VERSION.note
    for passphrase in (b"", b"passphrase"):
        path = _FOLDER / "made.key"
        path.unlink(missing_ok=True)
        generate_key(path, passphrase)
        yield b"\2" + path.read_bytes()
    path = _FOLDER / "made"
    path.unlink(missing_ok=True)
    signed = SignedSize.create(path, MARKET.origin)
    signed.note(4, maker().root())
    signed.keep(maker().note())
    signed.close()
    yield b"\3" + path.read_bytes()
    store = MemoryStore()
    yield b"\4" + Ledger.create(store, MARKET.origin).state.encode(MARKET.origin)
    yield b"\4" + Segment(entry=maker().entries).SerializeToString()
    yield b"\5" + Runs().to_bytes()
    yield b"\5" + bytes(range(1, 9))
    yield b"\6" + BackupPiece(key=[b"a", b"b"], value=[b"c", b"d"]).SerializeToString()
    yield b'\7{"a": [1, null, "\\ud800"]}'


TARGETS = (Target("kept", kept, _seeds),)
