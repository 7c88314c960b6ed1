"""Profiles: which charter, node and identity; only the charter's digest is believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import CharterMismatch, ConfigInvalid, TallystickError, VerificationFailed
from tallystick.core.keys import SigningKey
from tallystick.sdk.key_file import generate_key
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.node import Node
from tallystick.sdk.profile import ENVIRONMENT, Profile
from tests.harness.office import NOW_US, Office

OFFICE = Office()
IDENTITY = '[identity]\nactor = "market:clerk"\nkey = "clerk.key"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a charter and two keys."""
    (tmp_path / "charter.note").write_bytes(OFFICE.charter()[0])
    for name in ("clerk", "registrar"):
        generate_key(tmp_path / f"{name}.key")
    return tmp_path


def write(folder: Path, *lines: str, digest: str = OFFICE.charter()[1]) -> Path:
    path = folder / "profile.toml"
    path.write_text("\n".join([f'charter = "charter.note"\ncharter_digest = "{digest}"', *lines]))
    return path


def test_a_whole_profile_reads(folder: Path) -> None:
    """Charter, bureau, identity, registrar, state and language, all relative to the file."""
    path = write(
        folder, 'bureau = "market"', 'state = "here"', 'language = "zh"', IDENTITY, '[registrar]\nkey = "registrar.key"'
    )
    profile = Profile.load(path)
    assert profile.bureau == OFFICE.bureau
    assert (profile.actor, profile.language, profile.state) == ("market:clerk", "zh", folder / "here")
    assert isinstance(profile.signing_key(), SigningKey)
    assert profile.signing_key().public != profile.registrar_key().public
    assert profile.charter_digest == OFFICE.charter()[1]
    assert profile.has_bureau


def test_an_auditors_profile_has_neither_bureau_nor_identity(folder: Path) -> None:
    """Without them it still opens all ledgers, and says what is missing where one is needed."""
    profile = Profile.load(write(folder))
    assert not profile.has_bureau
    assert profile.language == "en"
    for ask, says in (
        (lambda: profile.bureau, "names no bureau"),
        (lambda: profile.actor, "names no identity"),
        (profile.signing_key, "names no identity"),
        (profile.registrar_key, "names no registrar key"),
    ):
        with pytest.raises(ConfigInvalid, match=says) as error:
            ask()
        assert "profile.toml" in str(error.value)


def test_where_a_profile_is_looked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path given, else the environment's, else the user's folder; a missing one says how to name another."""
    path = write(folder)
    monkeypatch.setenv(ENVIRONMENT, str(path))
    assert Profile.load().path == path
    assert Profile.load(str(path)).path == path
    monkeypatch.delenv(ENVIRONMENT)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    with pytest.raises(ConfigInvalid, match=f"profile.toml.*--profile or {ENVIRONMENT}"):
        Profile.load()


def test_state_is_kept_by_charter_where_no_place_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two charters never share what was trusted under one of them."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    state = Profile.load(write(folder)).state
    assert state.is_relative_to(folder / "state")
    assert state.name == OFFICE.charter()[1].removeprefix("blake3:")[:16]


def test_the_digest_is_the_only_root_of_trust(folder: Path) -> None:
    """Another digest, an altered charter, and what is no charter are refused, naming the charter's file."""
    for digest in (f"blake3:{'0' * 64}", "blake3:", "sha256:00", ""):
        with pytest.raises(TallystickError, match=r"charter\.note"):
            Profile.load(write(folder, digest=digest))
    path = write(folder)
    note = (folder / "charter.note").read_bytes()
    for bad in (note.replace(b"7411", b"7412").replace(b"127.0.0.1:1", b"127.0.0.1:2"), b"", b"\xff", note[:-3]):
        (folder / "charter.note").write_bytes(bad)
        with pytest.raises(VerificationFailed, match=r"charter\.note"):
            Profile.load(path)
    (folder / "charter.note").unlink()
    with pytest.raises(ConfigInvalid, match=r"charter\.note: cannot be read"):
        Profile.load(path)


def test_an_expired_charter_opens_nothing_live(folder: Path) -> None:
    """Up to its last moment a charter may be recorded under and read live; from then on neither."""
    profile = Profile.load(write(folder, 'bureau = "market"', IDENTITY))
    profile.check_current(NOW_US)
    profile.check_current(profile.charter.expires_us - 1)
    with pytest.raises(CharterMismatch, match="expired"):
        profile.check_current(profile.charter.expires_us)
    profile.check_current = lambda now_us: Profile.check_current(profile, profile.charter.expires_us)  # type: ignore[method-assign]
    for opening in (Node.open, Ledgers.open):
        with pytest.raises(CharterMismatch, match="expired"):
            opening(profile)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (['bureau = "taxation"'], "taxation"),
        (['bureau = "market"', IDENTITY.replace("market:", "taxation:")], "no actor of market"),
        ([IDENTITY], "no actor of a bureau"),
        (['bureau = "market"', IDENTITY.replace("market:clerk", "clerk")], "clerk"),
        (["bureaux = 1"], "bureaux"),
        (['language = "fr"'], "fr"),
        (["bureau = 5"], "bureau"),
        (['bureau = "market"', '[identity]\nactor = "market:clerk"'], "key"),
        (['bureau = "market"', IDENTITY + "pin = 1"], "pin"),
        (["[["], "profile.toml"),
        ([f"x = {'[' * 5000}"], "profile.toml"),
        ([f"x = {'1' * 5000}"], "digits"),
        (['state = "a\\u0000b"'], "NUL"),
    ],
)
def test_a_profile_that_does_not_fit_is_refused(folder: Path, lines: list[str], says: str) -> None:
    """Unknown keys, foreign bureaus and actors, and what is no TOML are ConfigInvalid naming the file."""
    with pytest.raises(ConfigInvalid, match=says) as error:
        Profile.load(write(folder, *lines))
    assert "profile.toml" in str(error.value)


def test_garbage_never_leaks_another_error(folder: Path) -> None:
    """Whatever bytes stand in a profile, it reads or is ConfigInvalid."""

    @given(st.binary(max_size=50))
    def check(content: bytes) -> None:
        path = write(folder)
        path.write_bytes(path.read_bytes() + b"\n" + content)
        try:
            Profile.load(path)
        except ConfigInvalid:
            return

    check()


def test_a_missing_key_is_told_when_it_is_needed(folder: Path) -> None:
    """Reading does without keys; signing names the file that is not there."""
    profile = Profile.load(write(folder, 'bureau = "market"', IDENTITY))
    (folder / "clerk.key").unlink()
    assert profile.actor == "market:clerk"
    with pytest.raises(ConfigInvalid, match=r"clerk\.key"):
        profile.signing_key()
