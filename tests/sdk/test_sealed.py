"""What a client keeps is sealed: one key opens it, at its place, unaltered, and whoever has the disk finds nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Barrier, Thread

import pytest

from tallystick import Node as Client
from tallystick import Sensitive
from tallystick.core.errors import ConfigInvalid, Unreachable
from tallystick.core.keys import SigningKey
from tallystick.sdk.salts import SaltStore
from tallystick.sdk.sealed import SealedFolder
from tests.harness.small_home import new_home

KEY, OTHER = SigningKey(bytes(32)), SigningKey(bytes(range(32)))


def sealed(folder: Path, key: SigningKey = KEY, what: str = "test") -> SealedFolder:
    return SealedFolder(folder, key, what)


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_what_is_sealed_opens_again(tmp_path: Path, size: int) -> None:
    """Contents of any size come back, from a file of their owner's alone that shows none of them; no two are alike."""
    contents = b"secret " * (size // 7) + b"s" * (size % 7)
    sealed(tmp_path / "kept").write("name", contents)
    path = tmp_path / "kept" / "name"
    first = path.read_bytes()
    assert sealed(tmp_path / "kept").read("name") == contents
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert b"secret" not in first
    sealed(tmp_path / "kept").write("name", contents)
    assert path.read_bytes()[53:] != first[53:]


def test_another_key_does_not_open_it_and_is_told_which_does(tmp_path: Path) -> None:
    """The error names both public keys; a file that claims to be of this key and is not is refused too."""
    sealed(tmp_path).write("name", b"x")
    with pytest.raises(ConfigInvalid, match=f"name: it was sealed under.* {KEY.public.hex()}.*{OTHER.public.hex()}"):
        sealed(tmp_path, OTHER).read("name")
    data = (tmp_path / "name").read_bytes()
    (tmp_path / "name").write_bytes(data.replace(KEY.public, OTHER.public))
    with pytest.raises(ConfigInvalid, match="altered"):
        sealed(tmp_path, OTHER).read("name")


def test_nothing_of_it_can_be_altered(tmp_path: Path) -> None:
    """Any byte changed, any cut, and any other place, by name or by what it is of, is refused with the file's name."""
    sealed(tmp_path).write("name", b"contents")
    data = (tmp_path / "name").read_bytes()
    bent = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in range(len(data))]
    for junk in (*bent, *(data[:cut] for cut in range(len(data))), data + b"\0"):
        (tmp_path / "name").write_bytes(junk)
        with pytest.raises(ConfigInvalid, match="name: it "):
            sealed(tmp_path).read("name")
    (tmp_path / "name").write_bytes(data)
    shutil.copy(tmp_path / "name", tmp_path / "other")
    with pytest.raises(ConfigInvalid, match="another's place"):
        sealed(tmp_path).read("other")
    with pytest.raises(ConfigInvalid, match="another's place"):
        sealed(tmp_path, what="something else").read("name")
    assert sealed(tmp_path).read("name") == b"contents"


def test_a_key_takes_over_what_another_sealed(tmp_path: Path) -> None:
    """Taken over, a file opens with the new key alone; whoever has the old one must be at hand."""
    sealed(tmp_path).write("a", b"1")
    sealed(tmp_path, OTHER).write("b", b"2")
    (tmp_path / ".lock").touch()
    new = sealed(tmp_path, OTHER)
    assert list(new.sealed_by(KEY.public)) == ["a"]
    new.take_over("a", KEY)
    assert new.read("a") == b"1"
    assert list(new.sealed_by(KEY.public)) == []
    with pytest.raises(ConfigInvalid, match="sealed under"):
        new.take_over("b", KEY)
    assert new.read("b") == b"2"


def test_what_a_crash_left_half_written_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that died before its file had its name left one beside it: that is not taken over, the others are."""
    old, new = sealed(tmp_path), sealed(tmp_path, OTHER)
    old.write("a", b"one")

    def dies(*_: object) -> None:
        shutil.copy(next(tmp_path.glob(".a.*")), tmp_path / ".a.left")
        raise OSError

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(ConfigInvalid):
        old.write("a", b"two")
    assert len([*tmp_path.iterdir()]) == 2
    assert [*new.sealed_by(KEY.public)] == ["a"]


def test_a_salt_that_another_key_sealed_is_not_taken_for_none(tmp_path: Path) -> None:
    """A salt that cannot be opened is an error, never a version without one: a new salt would contradict the ledger."""
    SaltStore(tmp_path, KEY).keep("market", "A@1", bytes(32))
    other = SaltStore(tmp_path, OTHER)
    calls: list[Callable[[], object]] = [
        lambda: other.salt_of("market", "A@1"),
        lambda: other.kept_or("market", "A@1", bytes(32)),
        lambda: other.keep("market", "A@1", bytes(32)),
    ]
    for call in calls:
        with pytest.raises(ConfigInvalid, match="sealed under"):
            call()
    assert SaltStore(tmp_path, KEY).salt_of("market", "A@1") == bytes(32)


def test_of_two_salts_that_are_made_at_once_one_is_kept(tmp_path: Path) -> None:
    """Two programs may provide one version at once: whoever goes on to record it does so with the salt that is kept."""
    for number in range(20):
        store, begin, gone_on = SaltStore(tmp_path / str(number), KEY), Barrier(2), list[bytes]()

        def provide(
            new: bytes, store: SaltStore = store, begin: Barrier = begin, gone_on: list[bytes] = gone_on
        ) -> None:
            begin.wait()
            with suppress(ConfigInvalid):
                salt = store.kept_or("market", "A@1", new)
                store.keep("market", "A@1", salt)
                gone_on.append(salt)

        programs = [Thread(target=provide, args=(bytes([each]) * 32,)) for each in range(2)]
        for program in programs:
            program.start()
        for program in programs:
            program.join()
        assert set(gone_on) == {store.salt_of("market", "A@1")}


def test_a_thief_of_a_clients_disk_finds_no_value_and_no_salt(tmp_path: Path) -> None:
    """Recorded while no node answers, a subject's name lies in the state folder, and is found in none of its files."""
    settings = new_home(tmp_path / "market")
    state = settings.path.parent / "state"
    with Client.open(settings.path.parent / "profile.toml") as client:
        recorder = client.recorder(batch_max=1, give_up_s=0.0)
        for subject in ("310115199001011234", "张三丰居民身份证"):
            recorder.use("A@1", purpose="audit", subject=Sensitive(subject))
        with pytest.raises(Unreachable):
            recorder.close()
    kept = [path for path in state.rglob("*") if path.is_file()]
    assert [path.suffix for path in kept].count(".submission") == 2
    for path in kept:
        assert b"310115199001011234" not in path.read_bytes()
        assert "张三丰".encode() not in path.read_bytes()
        assert b"audit" not in path.read_bytes()
