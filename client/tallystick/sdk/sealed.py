"""What a client keeps and others must not read, in files that one signing key opens: of its own identity.

    tallystick/sealed/v1\\n        the first line
    public key (32)               of the key that opens it
    salt (32, random)
    the contents                  AES-256-GCM, the tag (16) last

The contents' key is BLAKE3's keyed hash of the salt under what the signing key derives for "tallystick client state
v1", so that every file has its own, and no nonce (it is zero) is used twice. Associated data: all that stands before
the contents, then the place, which is what the file is of, a newline, and its name; a file put in another's place does
not open.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tallystick.core.errors import ConfigInvalid
from tallystick.core.keys import Signer
from tallystick.core.limits import PUBLIC_KEY_BYTES
from tallystick.sdk.files import write_whole

_CONTEXT: Final = "tallystick client state v1"
_MAGIC: Final = b"tallystick/sealed/v1\n"
_SALT_BYTES: Final = 32
_HEAD_BYTES: Final = len(_MAGIC) + PUBLIC_KEY_BYTES + _SALT_BYTES
_NO_NONCE: Final = bytes(12)


class SealedFolder:
    """A folder of files that `key` opens; `what` they are of is a part of the place of each."""

    def __init__(self, path: Path, key: Signer, what: str) -> None:
        self.path = path
        self._key = key
        self._what = what
        self._secret = key.derive(_CONTEXT)

    def __repr__(self) -> str:
        return f"SealedFolder({str(self.path)!r})"

    def write(self, name: str, contents: bytes) -> None:
        """Keep a file, in the place of what stands under its name. Raises ConfigInvalid."""
        head = _MAGIC + self._key.public + secrets.token_bytes(_SALT_BYTES)
        sealed = self._cipher(head).encrypt(_NO_NONCE, contents, self._at(head, name))
        write_whole(self.path / name, head + sealed, 0o600)

    def read(self, name: str) -> bytes:
        """A file's contents. Raises OSError where it does not read, ConfigInvalid where this key does not open it."""
        path = self.path / name
        data = path.read_bytes()
        head, sealed = data[:_HEAD_BYTES], data[_HEAD_BYTES:]
        if len(head) < _HEAD_BYTES or not head.startswith(_MAGIC):
            raise ConfigInvalid("it is not sealed", where=str(path), expected="a file as this client writes it")
        by = head[len(_MAGIC) :][:PUBLIC_KEY_BYTES]
        if by != self._key.public:
            raise ConfigInvalid(
                f"it was sealed under the key {by.hex()}",
                where=str(path),
                expected=f"{self._key.public.hex()}; where that has taken the other's place: tally key reseal",
            )
        try:
            return self._cipher(head).decrypt(_NO_NONCE, sealed, self._at(head, name))
        except InvalidTag:
            raise ConfigInvalid(
                "it was altered, or put in another's place", where=str(path), expected="the file that was sealed"
            ) from None

    def take_over(self, name: str, old: Signer) -> None:
        """Seal a file of an old key's under this one. Raises OSError and ConfigInvalid as `read`."""
        self.write(name, SealedFolder(self.path, old, self._what).read(name))

    def sealed_by(self, key: bytes) -> Iterator[str]:
        """The names of the files here that are sealed under a public key. Raises OSError.

        What begins with a dot was on the way to a name when its writer was cut short; its place is that name's.
        """
        for path in sorted(self.path.iterdir()) if self.path.is_dir() else ():
            if path.is_file() and not path.name.startswith("."):
                with path.open("rb") as file:
                    if file.read(_HEAD_BYTES).startswith(_MAGIC + key):
                        yield path.name

    def _cipher(self, head: bytes) -> AESGCM:
        return AESGCM(blake3(head[-_SALT_BYTES:], key=self._secret).digest())

    def _at(self, head: bytes, name: str) -> bytes:
        return head + f"{self._what}\n{name}".encode()
