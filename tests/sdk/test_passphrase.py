"""Passphrases: read from where they are said to be, asked for where somebody is there, and never guessed at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.key_file import generate_key, load_key
from tallystick.sdk.passphrase import CREDENTIAL, CREDENTIALS_DIRECTORY, PASSPHRASE_BYTES_MAX, Passphrase

OPEN = """
import sys
from pathlib import Path
from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.key_file import load_key
from tallystick.sdk.passphrase import Passphrase
passphrase = Passphrase()
try:
    for name in sys.argv[1:]:
        print(load_key(Path(name), passphrase).public.hex())
except ConfigInvalid as error:
    print(error)
"""
CHOOSE = """
import sys
from tallystick.core.errors import ConfigInvalid
from tallystick.sdk.passphrase import Passphrase
try:
    print(Passphrase().chosen(sys.argv[1]).decode()[::-1])
except ConfigInvalid as error:
    print(error)
"""
# Opening a terminal makes it that of a program that has none.
AT_A_TERMINAL = "import os, sys; os.close(os.open(os.ttyname(0), os.O_RDWR)); os.execv(sys.executable, sys.argv[1:])"


@contextmanager
def reading(data: bytes) -> Iterator[int]:
    """A file descriptor from which `data` comes, and then nothing."""
    here, there = os.pipe()
    os.write(there, data)
    os.close(there)
    try:
        yield here
    finally:
        os.close(here)


def at_a_terminal(program: str, *arguments: object, typed: str) -> tuple[str, str]:
    """What a program prints that runs at a terminal of its own, and what the terminal shows."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", AT_A_TERMINAL, sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True, text=True
    ) as run:
        os.close(theirs)
        shown = b""
        for line in typed.splitlines(keepends=True):
            while not shown.endswith(b": "):  # typed before it is asked for, it would be echoed and thrown away
                shown += os.read(ours, 1_024)
            os.write(ours, line.encode(errors="surrogateescape"))
            shown += b"|"
        said, _ = run.communicate(timeout=60)
    while True:
        try:
            shown += os.read(ours, 1_024)
        except OSError:  # nobody has the terminal any more
            os.close(ours)
            return said, shown.decode()


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CREDENTIALS_DIRECTORY, raising=False)


def test_a_file_descriptor_gives_one_line_and_leaves_the_rest(tmp_path: Path) -> None:
    """One line opens every key, is read once, and what follows it stays to be read."""
    made = [generate_key(tmp_path / name, b"open sesame") for name in ("a.key", "b.key")]
    with reading(b"open sesame\nand the data") as fd:
        passphrase = Passphrase(fd)
        assert [load_key(tmp_path / name, passphrase).public for name in ("a.key", "b.key")] == [
            key.public for key in made
        ]
        assert os.read(fd, 100) == b"and the data"


def test_it_is_not_read_where_no_key_needs_it(tmp_path: Path) -> None:
    """A key under no passphrase is opened without asking for one."""
    generate_key(tmp_path / "a.key")
    with reading(b"something\n") as fd:
        load_key(tmp_path / "a.key", Passphrase(fd))
        assert os.read(fd, 100) == b"something\n"


def test_a_credentials_directory_gives_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service finds it where its manager put it, with or without a newline; a file descriptor comes before that."""
    made = generate_key(tmp_path / "a.key", b"open sesame")
    monkeypatch.setenv(CREDENTIALS_DIRECTORY, str(tmp_path))
    for text in (b"open sesame", b"open sesame\n"):
        (tmp_path / CREDENTIAL).write_bytes(text)
        assert load_key(tmp_path / "a.key", Passphrase()).public == made.public
    (tmp_path / CREDENTIAL).write_bytes(b"open barley")
    with pytest.raises(ConfigInvalid, match="does not open the key"):
        load_key(tmp_path / "a.key", Passphrase())
    with reading(b"open sesame\n") as fd:
        assert load_key(tmp_path / "a.key", Passphrase(fd)).public == made.public


def test_with_nobody_to_ask_it_says_how_it_could_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without descriptor, credential and terminal the error names the key and the three ways."""
    generate_key(tmp_path / "a.key", b"open sesame")
    expected = f"a.key: the key needs a passphrase, and nobody is there to ask; expected --passphrase-fd.*{CREDENTIAL}"
    with pytest.raises(ConfigInvalid, match=expected):
        load_key(tmp_path / "a.key")
    monkeypatch.setenv(CREDENTIALS_DIRECTORY, str(tmp_path))  # where other credentials lie
    with pytest.raises(ConfigInvalid, match=expected):
        load_key(tmp_path / "a.key", Passphrase())


@pytest.mark.parametrize("line", [b"", b"\n", b"x" * (PASSPHRASE_BYTES_MAX + 1)], ids=["none", "empty", "long"])
def test_what_is_no_passphrase_is_refused(tmp_path: Path, line: bytes) -> None:
    """An empty line, no line and one without end are refused, to open a key and to make one."""
    generate_key(tmp_path / "a.key", b"open sesame")
    with reading(line) as fd, pytest.raises(ConfigInvalid, match=f"file descriptor {fd}"):
        load_key(tmp_path / "a.key", Passphrase(fd))
    with reading(line) as fd, pytest.raises(ConfigInvalid, match=f"file descriptor {fd}"):
        Passphrase(fd).chosen("a new key")


def test_a_descriptor_that_is_not_open_is_named() -> None:
    """A number that is no open descriptor is one clear error."""
    with reading(b"") as fd:
        pass
    with pytest.raises(ConfigInvalid, match=f"file descriptor {fd}: no passphrase can be read"):
        Passphrase(fd).chosen("a new key")


def test_the_longest_passphrase_does(tmp_path: Path) -> None:
    """A passphrase of as many bytes as it may have opens what it was chosen for."""
    longest = b"x" * PASSPHRASE_BYTES_MAX
    with reading(longest + b"\n") as fd:
        passphrase = Passphrase(fd)
        made = generate_key(tmp_path / "a.key", passphrase.chosen("a.key"))
        assert load_key(tmp_path / "a.key", passphrase).public == made.public


def test_a_terminal_is_asked_once_for_one_passphrase_and_shows_none(tmp_path: Path) -> None:
    """Keys under one passphrase are asked for once, one under another has its own asked for; nothing typed is shown."""
    keys = [tmp_path / f"{name}.key" for name in "abc"]
    made = [generate_key(path, word) for path, word in zip(keys, (b"sesame", b"sesame", b"barley"), strict=True)]
    said, shown = at_a_terminal(OPEN, *keys, typed="sesame\nbarley\n")
    assert said.split() == [key.public.hex() for key in made]
    assert shown.count("Passphrase of") == 2
    assert str(keys[0]) in shown
    assert str(keys[2]) in shown
    assert "sesame" not in shown + said
    assert "barley" not in shown + said


def test_a_wrong_passphrase_at_a_terminal_is_said(tmp_path: Path) -> None:
    """Whoever mistypes is told which key it does not open, and not what was typed."""
    generate_key(tmp_path / "a.key", b"sesame")
    said, shown = at_a_terminal(OPEN, tmp_path / "a.key", typed="barley\n")
    assert f"{tmp_path}/a.key: the passphrase does not open the key" in said
    assert "barley" not in shown + said


def test_a_new_passphrase_is_entered_twice_at_a_terminal() -> None:
    """The same twice is taken, and two that differ are refused."""
    said, shown = at_a_terminal(CHOOSE, "clerk.key", typed="sesame\nsesame\n")
    assert said == "emases\n"
    assert "Passphrase for clerk.key" in shown
    assert "sesame" not in shown
    said, _ = at_a_terminal(CHOOSE, "clerk.key", typed="sesame\nbarley\n")
    assert "clerk.key: the two passphrases differ" in said


def test_what_a_terminal_writes_in_another_encoding_is_said() -> None:
    """Bytes that are no text here are one clear error, which shows none of them."""
    said, shown = at_a_terminal(CHOOSE, "clerk.key", typed="s\udce9same\n")
    assert "clerk.key: the passphrase is no text here" in said
    assert "same" not in said + shown


def test_it_does_not_show_in_its_printed_form() -> None:
    """What is printed of a passphrase holds nothing of it."""
    with reading(b"sesame\n") as fd:
        passphrase = Passphrase(fd)
        passphrase.chosen("a.key")
    assert "sesame" not in repr(passphrase) + str(passphrase)
