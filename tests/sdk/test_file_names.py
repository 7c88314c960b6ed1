"""Names from elsewhere as names of files: each stays in its folder, and none is taken for another."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.errors import InvalidIdentifier
from tallystick.core.identifiers import check_origin
from tallystick.core.merkle import EMPTY_ROOT
from tallystick.sdk.file_names import file_name
from tallystick.sdk.salts import SaltStore
from tallystick.sdk.spool import Spool
from tallystick.sdk.trust_store import TrustStore
from tests.harness.ledger_maker import LedgerMaker, key_of

HOSTILE = (
    ".",
    "..",
    "../..",
    "./../etc/passwd",
    "/etc/passwd",
    "a.b/../../c",
    "a.b/c\0.note",
    "a.b/c%2Fd",
    "a.b/" + "x" * 251,
    "a.b/" + "%" * 251,
    "a.b/c.conflict-0123456789ab",
    "a.b/c.before-charter-2",
    "a.b/c",
    "",
)


@given(st.text(max_size=400) | st.sampled_from(HOSTILE))
def test_a_file_stays_in_its_folder(said: str) -> None:
    """Whatever a name is, the file is in the folder, and a file system takes it with all that is put behind it."""
    name = file_name(said)
    assert Path("folder", name).parent == Path("folder")
    assert name not in (".", "..")
    assert not {"/", "\0"} & set(name)
    assert 0 < len(name.encode()) < 200


@given(st.lists(st.text(max_size=300) | st.sampled_from(HOSTILE), unique=True))
def test_no_two_names_are_one_file(several: list[str]) -> None:
    """Different names are different files, however long they are and however alike their beginnings."""
    assert len({file_name(each) for each in several}) == len(several)


def _lawful(origin: str) -> bool:
    try:
        return check_origin(origin) == origin
    except InvalidIdentifier:
        return False


def test_every_lawful_origin_has_files_of_its_own(tmp_path: Path) -> None:
    """What is trusted, suspected and kept of one ledger is never another's, whatever the two are called."""
    origins = [origin for origin in HOSTILE if _lawful(origin)]
    assert len(origins) > 4
    trust, key = TrustStore(tmp_path / "deep" / "trust"), key_of("anybody")
    notes = {origin: sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), key) for origin in origins}
    for origin, note in notes.items():
        with trust.replacing(origin) as there:
            assert there is None
            trust.save(origin, note)
        trust.keep_conflict(origin, note, note + b"\n")
    for origin, note in notes.items():
        assert trust.load(origin) == note
        assert [shown for _, shown in trust.conflicts(origin)] == [note + b"\n"]
        assert trust.set_aside(origin) == []
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_a_spool_and_salts_stay_in_their_folders(tmp_path: Path) -> None:
    """A ledger's origin, a code and a version are names, and lead nowhere."""
    maker = LedgerMaker()
    submission, key = maker.submission([maker.use()], "gateway"), maker.keys["gateway"]
    for origin in HOSTILE:
        Spool(tmp_path / "deep" / "spool", origin, key).put(bytes(16), submission)
        SaltStore(tmp_path / "deep" / "salts", key).keep("market", f"../{origin}@../../{origin}", bytes(32))
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["salts", "spool"]
    assert len(list((tmp_path / "deep" / "spool").iterdir())) == len(HOSTILE)
    assert len(list((tmp_path / "deep" / "salts").glob("*.salt"))) == len(HOSTILE)
