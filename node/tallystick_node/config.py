"""A node's settings: one TOML file, every default visible, unknown keys refused.

Relative paths are relative to the file. A node listens over TLS, under its certificate. To listen in the clear has to
be said, and is refused anywhere but on loopback.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import msgspec
import tomli_w

from tallystick.core.charter import Bureau, Charter
from tallystick.core.charter_note import open_charter
from tallystick.core.endpoint import check_endpoint, is_loopback
from tallystick.core.errors import ConfigInvalid, NotFound, VerificationFailed
from tallystick.core.toml_text import parse_toml
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.files import write_whole
from tallystick.sdk.passphrase import Passphrase

# What a folder for another database is told apart by: a version's number, or that and how often it was put back.
_OF_ANOTHER: Final = re.compile(r"-(restored-)?[0-9]+$")


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the private keys are. The registrar's need not be on this machine."""

    ledger: str = "keys/ledger.key"
    witness: str = "keys/witness.key"
    disclosure: str = "keys/disclosure.key"


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The node's certificate and its key, which it shows to callers and to whom it calls; or that it has none."""

    certificate: str = "tls/node.crt"
    key: str = "tls/node.key"
    in_the_clear: bool = False


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The write path: how long the writer waits for company, in milliseconds, how much may wait for it, in MiB, how
    many seconds pass at least before the node records what was witnessed, and then again, and after how many what was
    read is recorded.
    """

    linger_ms: float = 2.0
    queue_mib: int = 64
    witness_times_s: float = 60.0
    shown_s: float = 60.0


class Serve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The server: how many calls at once, how many connections, and how long a stop waits for those in flight, in
    seconds.
    """

    calls_max: int = 1_000
    connections_max: int = 1_000
    stop_grace_s: float = 10.0


class Gossip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a node waits, more or less, until it swaps with another one, in seconds."""

    interval_s: float = 1.0


class Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged, and in which form, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["console", "json"] = "console"


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where metrics can be read over HTTP, in the clear and so on loopback; nowhere, where nothing is said."""

    listen: str = ""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's contents. `bureau`, `charter_digest` have no default."""

    bureau: str
    charter_digest: str
    charter: str = "charter.note"
    listen: str = "127.0.0.1:7411"
    data: str = "data"
    keys: Keys = Keys()
    tls: Tls = Tls()
    write: Write = Write()
    serve: Serve = Serve()
    gossip: Gossip = Gossip()
    metrics: Metrics = Metrics()
    log: Log = Log()


class Settings:
    """A config with its place on disk, and what opens its keys."""

    def __init__(self, path: Path, config: Config, passphrase: Passphrase | None = None) -> None:
        self.path = path
        self.config = config
        self.passphrase = passphrase or Passphrase()

    @classmethod
    def load(cls, path: Path, passphrase: Passphrase | None = None) -> Settings:
        """Read a settings file. Raises ConfigInvalid, naming file and key."""
        try:
            text = path.read_text(encoding="utf-8")
            config = msgspec.convert(parse_toml(text), Config)
        except OSError as error:
            raise ConfigInvalid(
                f"cannot be read: {error.strerror}",
                where=str(path),
                expected="a settings file; `tallyd init` makes one",
            ) from None
        except (ValueError, msgspec.ValidationError) as error:
            raise ConfigInvalid(
                str(error), where=str(path), expected="the settings that `tallyd config show` prints"
            ) from None
        settings = cls(path, config, passphrase)
        settings._check()
        return settings

    def _check(self) -> None:
        where = str(self.path)
        if not 0 <= self.config.write.linger_ms <= 1_000:
            raise ConfigInvalid(f"write.linger_ms = {self.config.write.linger_ms}", where=where, expected="0 to 1000")
        if not 4 <= self.config.write.queue_mib <= 4_096:
            raise ConfigInvalid(f"write.queue_mib = {self.config.write.queue_mib}", where=where, expected="4 to 4096")
        if not 0.01 <= self.config.write.witness_times_s <= 86_400:
            raise ConfigInvalid(
                f"write.witness_times_s = {self.config.write.witness_times_s}", where=where, expected="0.01 to 86400"
            )
        if not 0.01 <= self.config.write.shown_s <= 3_600:
            raise ConfigInvalid(f"write.shown_s = {self.config.write.shown_s}", where=where, expected="0.01 to 3600")
        if not 1 <= self.config.serve.calls_max <= 1_000_000:
            raise ConfigInvalid(
                f"serve.calls_max = {self.config.serve.calls_max}", where=where, expected="1 to 1000000"
            )
        if not 1 <= self.config.serve.connections_max <= 1_000_000:
            raise ConfigInvalid(
                f"serve.connections_max = {self.config.serve.connections_max}", where=where, expected="1 to 1000000"
            )
        if not 0 <= self.config.serve.stop_grace_s <= 3_600:
            raise ConfigInvalid(
                f"serve.stop_grace_s = {self.config.serve.stop_grace_s}", where=where, expected="0 to 3600"
            )
        if not 0.01 <= self.config.gossip.interval_s <= 3_600:
            raise ConfigInvalid(
                f"gossip.interval_s = {self.config.gossip.interval_s}", where=where, expected="0.01 to 3600"
            )
        check_listen(self.config.listen, where, in_the_clear=self.config.tls.in_the_clear)
        if self.config.metrics.listen:
            check_listen(self.config.metrics.listen, f"{where}: metrics", in_the_clear=True)

    def place(self, name: str) -> Path:
        """A path of the settings, relative to the file."""
        return self.path.parent / name

    @cached_property
    def credentials(self) -> Credentials | None:
        """What this node shows to others; None where it has nothing, and speaks in the clear."""
        tls = self.config.tls
        if tls.in_the_clear:
            return None
        return Credentials(CertifiedFiles(self.place(tls.certificate), self.place(tls.key)), self.passphrase)

    @property
    def database(self) -> Path:
        return self.place(self.config.data) / "ledger"

    @property
    def signed_size(self) -> Path:
        return self.place(self.config.data) / "signed-size"

    def beside_data(self, suffix: str) -> str:
        """The name of a folder for another database, beside that of the present one, as `data-2`."""
        data = Path(self.config.data)
        return str(data.with_name(f"{_OF_ANOTHER.sub('', data.name)}-{suffix}"))

    @property
    def operator_token(self) -> Path:
        return self.place(self.config.data) / "operator-token"

    def key_files(self, bureau: Bureau) -> list[Path]:
        """Where the keys are that this node needs; an observer has the witness's alone."""
        keys = self.config.keys
        named = (keys.witness,) if bureau.is_observer else (keys.ledger, keys.witness, keys.disclosure)
        return [self.place(name) for name in named]

    @property
    def tls_files(self) -> list[Path]:
        """Where the node's certificate is, and its key; nowhere, where it listens in the clear."""
        found = self.credentials
        return [] if found is None else [found.files.certificate, found.files.key]

    def open_charter(self) -> tuple[Charter, Bureau]:
        """The charter and this node's bureau in it. Raises ConfigInvalid or VerificationFailed."""
        path = self.place(self.config.charter)
        try:
            charter = open_charter(path.read_bytes(), self.config.charter_digest)
            return charter, charter.by_id(self.config.bureau)
        except OSError as error:
            raise ConfigInvalid(
                f"cannot be read: {error.strerror}", where=str(path), expected="the charter's note"
            ) from None
        except NotFound as error:
            raise ConfigInvalid(error.what, where=str(path), expected=error.expected) from None
        except VerificationFailed as error:
            raise error.at(str(path)) from None

    def render(self) -> str:
        """The settings as TOML, every default written out."""
        return tomli_w.dumps(msgspec.to_builtins(self.config))

    def save(self) -> None:
        """Write the file whole or not at all."""
        write_whole(self.path, self.render().encode())


def check_listen(listen: str, where: str, *, in_the_clear: bool) -> None:
    """Refuse what is no address, and to listen in the clear anywhere but on loopback. Raises ConfigInvalid."""
    check_endpoint(listen, where)
    if in_the_clear and not is_loopback(listen):
        raise ConfigInvalid(
            f"listen = {listen!r} is not loopback",
            where=where,
            expected="127.0.0.1, [::1] or localhost, or a certificate: tls.in_the_clear is set",
        )
