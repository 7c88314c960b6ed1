"""Who may operate a running node: whoever can read the token in its home's data folder, made anew at every start.

32 random bytes in hex, in a file of mode 0600.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest
from pathlib import Path
from typing import Final

from tallystick.core.errors import ConfigInvalid, NotAuthentic
from tallystick.sdk.files import write_whole
from tallystick.sdk.secret_file import read_secret

TOKEN_BYTES: Final = 32
_FILE_BYTES_MAX: Final = 2 * TOKEN_BYTES + 1


def make_token(path: Path) -> bytes:
    """A new token, in the place of the one before. Raises ConfigInvalid."""
    token = secrets.token_bytes(TOKEN_BYTES)
    write_whole(path, token.hex().encode() + b"\n", 0o600)
    return token


def read_token(path: Path) -> bytes:
    """The token of the node that runs. Raises ConfigInvalid."""
    text = read_secret(path, "token", _FILE_BYTES_MAX)
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise ConfigInvalid("it holds no token", where=str(path), expected="what the running node put there") from None


def check_token(token: bytes, shown: bytes) -> None:
    """Raises NotAuthentic, which tells nothing."""
    if not compare_digest(token, shown):
        raise NotAuthentic("refused")
