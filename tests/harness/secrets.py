"""Every secret there is, as a program might write it by mistake: to be looked for in what was printed and logged."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from google.protobuf.text_encoding import CEscape

from tallystick.sdk.key_file import load_private
from tallystick.sdk.passphrase import Passphrase

_EC_BYTES = 32
_DISTINCT_CHARS = 16  # as much of an encoded secret as nobody writes by chance


class Secrets:
    """What must not be seen, by name. A secret is looked for in every form in which it might have been written."""

    def __init__(self) -> None:
        self._forms: dict[str, str] = {}

    def __len__(self) -> int:
        return len(set(self._forms.values()))

    def add(self, name: str, secret: bytes | str) -> None:
        """Another secret: text, or bytes."""
        raw = secret.encode() if isinstance(secret, str) else secret
        forms = {raw.hex(), raw.hex().upper(), raw.hex(":"), b64encode(raw).decode().rstrip("=")}
        forms |= {urlsafe_b64encode(raw).decode().rstrip("="), repr(raw)[2:-1], CEscape(raw, False), CEscape(raw, True)}
        if isinstance(secret, str):
            forms |= {secret, json.dumps(secret)[1:-1], secret.encode("unicode_escape").decode()}
        for form in forms:
            self._forms[form] = name

    def add_key(self, path: Path, passphrase: Passphrase | None = None) -> None:
        """A private key's file: the key itself, and its lines."""
        key = load_private(path, passphrase)
        assert key is not None
        self.add(str(path), _number(key))
        for line in path.read_text().splitlines()[1:-1]:
            if len(line) >= _DISTINCT_CHARS:
                self._forms[line] = str(path)

    def seen_in(self, text: str) -> set[str]:
        """Which of them stand in a text."""
        return {name for form, name in self._forms.items() if form in text}


def _number(key: PrivateKeyTypes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.private_bytes_raw()
    assert isinstance(key, EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes(_EC_BYTES, "big")
