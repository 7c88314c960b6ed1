"""Secrets in files: their owner's alone, and refused, in the same words for all, where others may touch them."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.files import make_folder
from tallystick.sdk.key_file import generate_key, load_key
from tallystick.sdk.profile import Profile
from tallystick.sdk.secret_file import OF_OTHERS, check_folder, read_secret, write_new_secret
from tallystick_node.operator_token import make_token, read_token
from tests.harness.office import Office

READ: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "key": (generate_key, load_key),
    "token": (make_token, read_token),
    "any": (lambda path: write_new_secret(path, "secret", b"x"), lambda path: read_secret(path, "secret", 10)),
}


@pytest.mark.parametrize("what", READ)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
def test_what_others_may_touch_is_refused(tmp_path: Path, what: str, mode: int) -> None:
    """Every secret's file is made with 0600, and refused with any bit for others, by the same words."""
    make, read = READ[what]
    path = tmp_path / "secrets" / "secret"
    make_folder(path.parent)
    make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read(path)
    path.chmod(mode)
    with pytest.raises(ConfigInvalid, match=f"{path}: its mode is {mode:04o}; expected 0600: a .* is no secret"):
        read(path)


@pytest.mark.parametrize("what", READ)
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_where_others_may_write_is_refused(tmp_path: Path, what: str, mode: int) -> None:
    """Who may write in a secret's folder may put another in its place: that is refused, and a look into it is not."""
    make, read = READ[what]
    path = tmp_path / "secrets" / "secret"
    make_folder(path.parent)
    make(path)
    path.parent.chmod(mode)
    with pytest.raises(ConfigInvalid, match=f"{path.parent}: the folder's mode is {mode:04o}; expected 0700"):
        read(path)
    path.parent.chmod(mode | stat.S_ISVTX)
    read(path)
    path.parent.chmod(0o755)
    read(path)


def test_a_secret_behind_a_link_is_held_to_the_same(tmp_path: Path) -> None:
    """Where others may put another in the place of what a link leads to, that is refused as where the link is."""
    target, link = tmp_path / "elsewhere" / "secret", tmp_path / "secrets" / "secret"
    write_new_secret(target, "secret", b"x")
    make_folder(link.parent)
    link.symlink_to(target)
    assert read_secret(link, "secret", 10) == b"x"
    for folder in (target.parent, link.parent):
        folder.chmod(0o777)
        with pytest.raises(ConfigInvalid, match=f"{folder}: the folder's mode is 0777"):
            read_secret(link, "secret", 10)
        folder.chmod(0o700)


def test_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    """Every folder that is made on the way has mode 0700; one that is there stays as it is."""
    make_folder(tmp_path / "a" / "b" / "c")
    for folder in (tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (tmp_path / "a").chmod(0o755)
    make_folder(tmp_path / "a" / "b" / "d")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o1750, 0o1777], ids=oct)
def test_a_folder_that_nobody_else_may_read_is_no_better_for_a_sticky_bit(tmp_path: Path, mode: int) -> None:
    """That bit keeps others from replacing what is in a folder, and from nothing else."""
    tmp_path.chmod(mode)
    with pytest.raises(ConfigInvalid, match=f"the folder's mode is {mode:04o}"):
        check_folder(tmp_path, OF_OTHERS)
    tmp_path.chmod(0o1700)
    check_folder(tmp_path, OF_OTHERS)


def test_a_folder_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    """There is nothing to refuse in what will be made."""
    check_folder(tmp_path / "none")


def test_a_profile_is_refused_where_others_may_write_what_it_keeps(tmp_path: Path) -> None:
    """Whoever may write a client's state may have it forget what it was shown: no profile is read with it."""
    note, digest = Office().charter()
    (tmp_path / "charter.note").write_bytes(note)
    (tmp_path / "profile.toml").write_text(f'charter = "charter.note"\ncharter_digest = "{digest}"\nstate = "state"\n')
    Profile.load(tmp_path / "profile.toml")
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o775)
    with pytest.raises(ConfigInvalid, match=r"state: the folder's mode is 0775"):
        Profile.load(tmp_path / "profile.toml")
