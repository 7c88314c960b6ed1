"""Ed25519 keys in a device that lets none out, by PKCS#11: the optional extra `tallystick[pkcs11]`.

Where a key's file would hold the key it holds one line, a PKCS#11 URI (RFC 7512) that names the key, the token it is in
and the library that speaks to it; the PIN is taken as every passphrase is.

    pkcs11:token=tally;object=ledger?module-path=/usr/lib/softhsm/libsofthsm2.so

All three are required, and nothing else is understood. The device must know Ed25519 (CKM_EDDSA), and hold the public
key beside the private one under the same label. What `derive` gives is BLAKE3's `derive_key` of the signature of
`tallystick/derive/v1\\n<context>\\n`, which is for nobody else's eyes; so the device must sign one message always the
same, as RFC 8032 has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from blake3 import blake3

from tallystick.core.errors import ConfigInvalid, MalformedKey, StorageFailed
from tallystick.core.keys import check_public_key, verify
from tallystick.core.limits import PUBLIC_KEY_BYTES
from tallystick.sdk.passphrase import Passphrase

SCHEME = b"pkcs11:"
_sessions: dict[tuple[str, str], Any] = {}
_EXPECTED = "pkcs11:token=TOKEN;object=LABEL?module-path=LIBRARY"


class HardwareKey:
    """A key in a device, by what opened it; it signs as long as this process and the device do."""

    def __init__(self, key: Any, public: bytes, where: str) -> None:
        self._key = key
        self._where = where
        self.public = public

    def __repr__(self) -> str:
        return f"HardwareKey(public={self.public.hex()})"

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message`. Raises StorageFailed where the device does not make it."""
        import pkcs11

        try:
            return bytes(self._key.sign(message, mechanism=pkcs11.Mechanism.EDDSA))
        except pkcs11.PKCS11Error as error:
            raise StorageFailed(
                f"the device does not sign ({type(error).__name__})", where=self._where, expected="the device, unlocked"
            ) from None

    def derive(self, context: str) -> bytes:
        """BLAKE3's `derive_key` of the signature that stands for `context`. Raises StorageFailed as `sign`."""
        message = f"tallystick/derive/v1\n{context}\n".encode()
        return blake3(self.sign(message), derive_key_context=context).digest()


def open_hardware_key(uri: bytes, passphrase: Passphrase, where: str) -> HardwareKey:
    """The key that a URI names. Raises ConfigInvalid, naming `where` the URI stands, for whatever is in the way."""
    token, label, module = _parse(uri, where)
    try:
        import pkcs11
    except ImportError:
        raise ConfigInvalid(
            "it names a key in a device, and python-pkcs11 is not installed", where=where, expected="tallystick[pkcs11]"
        ) from None
    with _told(where):
        session = _unlocked(module, token, passphrase, where)
        private = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.KeyType.EC_EDWARDS, label=label)
        public = session.get_key(pkcs11.ObjectClass.PUBLIC_KEY, pkcs11.KeyType.EC_EDWARDS, label=label)
        # An OCTET STRING of 32 bytes; some devices leave its two bytes of tag and length out.
        key = HardwareKey(private, bytes(public[pkcs11.Attribute.EC_POINT])[-PUBLIC_KEY_BYTES:], where)
    _check(key, where)
    return key


def _unlocked(module: str, token: str, passphrase: Passphrase, where: str) -> Any:
    """The session with a token, opened by its PIN once: a process logs in once, for all keys in it."""
    import pkcs11

    if (module, token) in _sessions:
        return _sessions[module, token]
    found = pkcs11.lib(module).get_token(token_label=token)
    for pin in passphrase.opening(where):
        try:
            _sessions[module, token] = found.open(user_pin=pin.decode(errors="replace"))
        except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinLenRange):
            continue
        return _sessions[module, token]
    raise ConfigInvalid("the PIN does not open the device", where=where, expected="the token's user PIN")


def _check(key: HardwareKey, where: str) -> None:
    """The two halves belong together, and what is derived of a key will be the same tomorrow."""
    message = b"tallystick/derive/v1\n\n"
    try:
        check_public_key(key.public, where)
        signature = key.sign(message)
    except (MalformedKey, StorageFailed) as error:
        raise ConfigInvalid(error.what, where=where, expected="a device that signs with Ed25519") from None
    if not verify(key.public, message, signature) or key.sign(message) != signature:
        raise ConfigInvalid(
            "the device does not sign as Ed25519 does", where=where, expected="signatures by RFC 8032, always the same"
        )


def _parse(uri: bytes, where: str) -> tuple[str, str, str]:
    """Token, label and library. Raises ConfigInvalid."""
    try:
        path, _, query = uri.decode("ascii").strip().removeprefix(SCHEME.decode()).partition("?")
        said = dict(part.split("=", 1) for part in (*path.split(";"), *query.split("&")))
        if set(said) != {"token", "object", "module-path"} or "module-path=" in path:
            raise ValueError
        token, label, module = (unquote(said[name], errors="strict") for name in ("token", "object", "module-path"))
    except ValueError:
        raise ConfigInvalid("it names no key in a device", where=where, expected=_EXPECTED) from None
    if not Path(module).is_absolute():
        raise ConfigInvalid(f"module-path={module!r}", where=where, expected="an absolute path")
    return token, label, module


@contextmanager
def _told(where: str) -> Iterator[None]:
    """What the device or its library says is said in one sentence."""
    import pkcs11

    try:
        yield
    except pkcs11.PKCS11Error as error:
        what = " ".join(str(error).split()) or type(error).__name__
        raise ConfigInvalid(f"the device does not show the key ({what})", where=where, expected=_EXPECTED) from None
