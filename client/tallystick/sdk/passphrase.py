"""Where the passphrase of encrypted keys comes from, in this order:

    --passphrase-fd N                              the next line of this file descriptor
    $CREDENTIALS_DIRECTORY/tallystick-passphrase   a file, as systemd's `LoadCredential=` puts it there
    the terminal                                   asked for, and not shown

One passphrase opens all keys that one program opens; on a terminal, a key that it does not open has its own asked for.
It is never an argument or a variable of the environment, which others on the machine may see.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from tallystick.core.errors import ConfigInvalid

PASSPHRASE_BYTES_MAX: Final = 1_024
CREDENTIALS_DIRECTORY: Final = "CREDENTIALS_DIRECTORY"
CREDENTIAL: Final = "tallystick-passphrase"
_WAYS: Final = f"--passphrase-fd, ${CREDENTIALS_DIRECTORY}/{CREDENTIAL}, or a terminal to ask at"
_TERMINAL: Final = "/dev/tty"


class Passphrase:
    """What opens encrypted keys, read or asked for when first needed and then remembered; never printed."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = fd
        self._credentials = os.environ.get(CREDENTIALS_DIRECTORY, "")
        self._known: bytes | None = None

    @classmethod
    def another(cls, fd: int | None) -> Self:
        """One that keys are to be put under instead: of a file descriptor, else asked for."""
        made = cls(fd)
        made._credentials = ""
        return made

    def __repr__(self) -> str:
        return "Passphrase()"

    def opening(self, where: str) -> Iterator[bytes]:
        """What may open the key at `where`: the passphrase there is, and on a terminal another. Raises ConfigInvalid
        where there is nobody to ask.
        """
        given = self._given()
        if self._known is not None:
            yield self._known
        if given is None:
            self._known = _ask(f"Passphrase of {where}: ", where)
            yield self._known

    def chosen(self, where: str) -> bytes:
        """The one that a new key gets; asked for twice on a terminal. Raises ConfigInvalid."""
        if self._given() is None and self._known is None:
            first = _ask(f"Passphrase for {where}: ", where)
            if _ask("The same again: ", where) != first:
                raise ConfigInvalid("the two passphrases differ", where=where, expected="one, entered twice")
            self._known = first
        assert self._known is not None
        return self._known

    def _given(self) -> bytes | None:
        """What comes without asking, if anything does."""
        if self._fd is None and not self._credentials:
            return None
        if self._known is None:
            if self._fd is not None:
                self._known = _checked(_line_of(self._fd), f"file descriptor {self._fd}")
            else:
                path = Path(self._credentials, CREDENTIAL)
                if not path.exists():  # the directory may hold other credentials alone
                    return None
                self._known = _checked(_first_line(path), str(path))
        return self._known


def _line_of(fd: int) -> bytes:
    """One line, and nothing after it: what follows may be somebody else's input."""
    line = b""
    try:
        while len(line) <= PASSPHRASE_BYTES_MAX and (byte := os.read(fd, 1)) not in (b"", b"\n"):
            line += byte
    except OSError as error:
        raise ConfigInvalid(
            f"no passphrase can be read: {error.strerror}", where=f"file descriptor {fd}", expected="an open one"
        ) from None
    return line


def _first_line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PASSPHRASE_BYTES_MAX + 1).partition(b"\n")[0]
    except OSError as error:
        raise ConfigInvalid(f"no passphrase can be read: {error.strerror}", where=str(path), expected=_WAYS) from None


def _checked(passphrase: bytes, where: str) -> bytes:
    if not 0 < len(passphrase) <= PASSPHRASE_BYTES_MAX:
        what = f"a passphrase of more than {PASSPHRASE_BYTES_MAX} bytes" if passphrase else "no passphrase"
        raise ConfigInvalid(what, where=where, expected=f"one line, 1 to {PASSPHRASE_BYTES_MAX} bytes")
    return passphrase


def _ask(prompt: str, where: str) -> bytes:
    """Asked for on the terminal, where there is one. Raises ConfigInvalid."""
    if not _somebody_there():
        raise ConfigInvalid("the key needs a passphrase, and nobody is there to ask", where=where, expected=_WAYS)
    from getpass import getpass

    try:
        return _checked(getpass(prompt).encode(), where)
    except EOFError:
        raise ConfigInvalid("no passphrase", where=where, expected=_WAYS) from None
    except UnicodeError:
        raise ConfigInvalid(
            "the passphrase is no text here", where=where, expected="what the terminal writes"
        ) from None


def _somebody_there() -> bool:
    """Whether who sees the errors of this program sits at a terminal."""
    if not sys.stderr.isatty():
        return False
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
