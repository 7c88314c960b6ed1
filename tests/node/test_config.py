"""Settings: every default is visible, nothing unknown is taken, and nothing listens in the clear but on loopback."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import CharterMismatch, ConfigInvalid
from tallystick_node.config import Config, Settings, check_listen
from tests.harness.office import Office

LEAST = 'bureau = "market"\ncharter_digest = "blake3:00"\n'


def load(folder: Path, text: str | bytes) -> Settings:
    path = folder / "tallyd.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Settings.load(path)


def names(kind: type[msgspec.Struct], prefix: str = "") -> set[str]:
    """Every setting there is, dotted."""
    found = set()
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found |= names(field.type, f"{prefix}{field.name}.")
        else:
            found.add(prefix + field.name)
    return found


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def test_every_default_is_visible(tmp_path: Path) -> None:
    """What is rendered holds every setting there is, and reads back as the same settings."""
    settings = load(tmp_path, LEAST)
    rendered = settings.render()
    assert set(flat(tomllib.loads(rendered))) == names(Config)
    assert load(tmp_path, rendered).config == settings.config
    assert settings.config == Config("market", "blake3:00")


def test_saved_settings_are_the_ones_loaded(tmp_path: Path) -> None:
    """Saving writes what rendering shows."""
    settings = load(tmp_path, LEAST + "[write]\nlinger_ms = 7.5\n")
    settings.save()
    assert settings.path.read_text() == settings.render()
    assert Settings.load(settings.path).config.write.linger_ms == 7.5


@pytest.mark.parametrize("name", sorted(names(Config)))
def test_a_misspelt_setting_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """One letter more in any setting's name is an error that names it and the file."""
    table, _, key = name.rpartition(".")
    wrong = f"{LEAST}\n[{table}]\n{key}x = 1\n" if table else f"{key}x = 1\n{LEAST}"
    with pytest.raises(ConfigInvalid, match=f"{key}x") as error:
        load(tmp_path, wrong)
    assert "tallyd.toml" in str(error.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("[write]\nlinger_ms = -1", "linger_ms"),
        ("[write]\nlinger_ms = 1001", "0 to 1000"),
        ("[write]\nwitness_times_s = 0", "0.01 to 86400"),
        ("[write]\nwitness_times_s = nan", "witness_times_s"),
        ("[write]\nshown_s = 0", "0.01 to 3600"),
        ("[write]\nshown_s = 3601", "shown_s"),
        ("[write]\nlinger_ms = nan", "linger_ms"),
        ("[write]\nlinger_ms = inf", "linger_ms"),
        ("[write]\nqueue_mib = 3", "4 to 4096"),
        ("[write]\nqueue_mib = 4097", "queue_mib"),
        ("[write]\nqueue_mib = 4.5", "queue_mib"),
        ("[serve]\ncalls_max = 0", "calls_max"),
        ("[serve]\ncalls_max = 1000001", "1 to 1000000"),
        ("[serve]\nstop_grace_s = -0.1", "0 to 3600"),
        ("[serve]\nstop_grace_s = 3601", "stop_grace_s"),
        ('[log]\nlevel = "loud"', "loud"),
        ('[log]\nform = "xml"', "xml"),
        ("[keys]\nledger = 5", "ledger"),
        ("data = []", "data"),
        ("write = 1", "write"),
    ],
)
def test_settings_have_bounds(tmp_path: Path, line: str, says: str) -> None:
    """A value out of its bounds or of another type is refused, naming the setting or what it may be."""
    text = f"{line}\n{LEAST}" if not line.startswith("[") else f"{LEAST}\n{line}\n"
    with pytest.raises(ConfigInvalid, match=says):
        load(tmp_path, text)


def test_what_has_no_default_must_be_said(tmp_path: Path) -> None:
    """A file without bureau or charter digest is refused and says which is missing."""
    for line in LEAST.splitlines():
        missing = ({"bureau", "charter_digest"} - {line.split(" ")[0]}).pop()
        with pytest.raises(ConfigInvalid, match=missing):
            load(tmp_path, line)


@pytest.mark.parametrize(
    "listen", ["127.0.0.1:1", "127.0.0.1:65535", "127.8.9.1:7411", "localhost:7411", "[::1]:7411", "::1:7411"]
)
def test_loopback_may_be_listened_on(listen: str) -> None:
    """Every address of this machine alone is taken."""
    check_listen(listen, "test", in_the_clear=True)


@pytest.mark.parametrize(
    "listen",
    [
        "0.0.0.0:7411",
        "[::]:7411",
        ":::7411",
        ":7411",
        "10.0.0.1:7411",
        "192.168.1.4:7411",
        "8.8.8.8:7411",
        "[2001:db8::1]:7411",
        "[fe80::1]:7411",
        "[::ffff:8.8.8.8]:7411",
        "market.pudong.example:7411",
        "localhost.pudong.example:7411",
        "127.0.0.1.pudong.example:7411",
        "127.1:7411",
        "LOCALHOST.:7411",
        "*:7411",
        "unix:/tmp/node.sock",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:http",
        "127.0.0.1:7411,0.0.0.0:7412",
        "127.0.0.1:７４１１",
        "",
    ],
)
def test_nothing_else_is_listened_on_in_the_clear(tmp_path: Path, listen: str) -> None:
    """All interfaces, public and private addresses, names, and what is no address are refused, and shown."""
    with pytest.raises(ConfigInvalid) as error:
        check_listen(listen, "test", in_the_clear=True)
    assert repr(listen) in str(error.value)
    with pytest.raises(ConfigInvalid):
        load(tmp_path, f"listen = '{listen}'\n{LEAST}\n[tls]\nin_the_clear = true\n")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"bureau",
        b"= 1",
        b"a = " + b"[" * 5000,
        b'bureau = "a"\nbureau = "b"',
        b"a = " + b"1" * 5000,
        b'bureau = "a"\ncharter_digest = ""\ndata = "\\u0000"',
    ],
    ids=["not UTF-8", "no value", "no key", "nested", "twice", "a long number", "a NUL in a path"],
)
def test_a_file_that_does_not_read_is_named(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no TOML are ConfigInvalid with the file's name."""
    with pytest.raises(ConfigInvalid, match=r"tallyd\.toml"):
        load(tmp_path, content)


def test_garbage_never_leaks_another_error(tmp_path: Path) -> None:
    """Whatever bytes the file holds, it is settings or ConfigInvalid."""

    @given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
    def check(content: bytes) -> None:
        try:
            load(tmp_path, content)
        except ConfigInvalid:
            return

    check()


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    """No file, or a folder in its place, is ConfigInvalid that names `tallyd init`."""
    (tmp_path / "folder").mkdir()
    for name in ("none.toml", "folder"):
        with pytest.raises(ConfigInvalid, match="tallyd init"):
            Settings.load(tmp_path / name)


def test_the_charter_is_trusted_by_its_digest_alone(tmp_path: Path) -> None:
    """The right note opens; a missing one, another digest, or a bureau it does not name is refused, naming the file."""
    note, digest = Office().charter()
    (tmp_path / "charter.note").write_bytes(note)
    good = Settings(tmp_path / "tallyd.toml", Config("market", digest))
    assert good.open_charter()[1] == Office().bureau
    for config, error in (
        (Config("market", f"blake3:{'0' * 64}"), CharterMismatch),
        (Config("taxation", digest), ConfigInvalid),
        (Config("market", digest, charter="none.note"), ConfigInvalid),
    ):
        with pytest.raises(error, match=r"\.note"):
            Settings(tmp_path / "tallyd.toml", config).open_charter()
