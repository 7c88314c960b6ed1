"""`tallyd init`: a home, complete at once or waiting for a charter that others sign; nothing is overwritten."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tallystick import Node
from tallystick.core.charter import Bureau
from tallystick.core.errors import ConfigInvalid, NotFound
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import generate_key, is_encrypted, load_key
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.passphrase import CREDENTIAL, CREDENTIALS_DIRECTORY, Passphrase
from tallystick_node.cluster.ports import held_ports
from tallystick_node.cluster.roster import credit_code
from tallystick_node.first_charter import sign_first_charter
from tests.harness.ledger_maker import LedgerMaker
from tests.harness.processes import BIN, processes_of, refused, tallyd

CREDIT_CODE = credit_code(77)
WHO = ("--bureau", "archives", "--origin", "pudong.example/archives", "--credit-code", CREDIT_CODE)


@pytest.fixture
def listen() -> str:
    """A free address."""
    with held_ports(1) as (port,):
        return f"127.0.0.1:{port}"


@contextmanager
def running(home: Path) -> Iterator[None]:
    """`tallyd run`, serving."""
    reading, writing = os.pipe()
    command: list[str | Path] = [BIN / "tallyd", "run", home, "--ready-fd", str(writing)]
    with subprocess.Popen(command, pass_fds=[writing]) as node:
        os.close(writing)
        try:
            assert [os.read(reading, 1), os.read(reading, 1)] == [b".", b"+"]
            yield
        finally:
            os.close(reading)
            node.terminate()
    assert node.returncode == 0
    assert not processes_of(home)


def test_alone_it_can_record_at_once(tmp_path: Path, listen: str) -> None:
    """With a charter of its own a bureau has a founded ledger, an officer, a system and profiles for them."""
    home = tmp_path / "archives"
    made = tallyd("init", home, *WHO, "--listen", listen, "--own-charter")
    assert made.returncode == 0, made.stderr
    assert "blake3:" in made.stdout
    assert tallyd("fsck", home).stdout == "pudong.example/archives: 3 entries, no difference\n"
    with running(home), Node.open(home / "profile.toml") as officer, Node.open(home / "profile-gateway.toml") as system:
        declared = officer.declare("DA-1", scheme="pudong", title="Records", sharing="unconditional")
        assert officer.show(declared.index).author.actor == "archives:clerk"
        assert system.show(system.use("DA-1@1", purpose="audit").index).author.actor == "archives:gateway"


def test_with_encrypted_keys_it_runs_only_for_who_has_the_passphrase(
    tmp_path: Path, listen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key of such a home lies in the clear; its node and its officer open them with the passphrase alone."""
    home, credentials = tmp_path / "archives", tmp_path / "credentials"
    credentials.mkdir()
    (credentials / CREDENTIAL).write_text("open sesame\n")
    making = ("init", home, *WHO, "--listen", listen, "--own-charter", "--encrypt")
    assert "nobody is there to ask" in refused(2, *making)
    assert not home.exists()
    monkeypatch.setenv(CREDENTIALS_DIRECTORY, str(credentials))
    assert tallyd(*making).returncode == 0
    keys = sorted(home.rglob("*.key"))
    assert {path.stem for path in keys} >= {
        "charter",
        "clerk",
        "disclosure",
        "gateway",
        "ledger",
        "registrar",
        "witness",
    }
    assert all(path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") for path in keys)
    with running(home), Node.open(home / "profile.toml") as officer:
        officer.declare("DA-1", scheme="pudong", title="Records", sharing="unconditional")
        monkeypatch.delenv(CREDENTIALS_DIRECTORY)
        assert "nobody is there to ask" in refused(2, "backup", home, tmp_path / "copy")
        told = ("--passphrase-fd", "0")
        assert tallyd("backup", home, tmp_path / "copy", *told, stdin="open sesame\n").returncode == 0
    assert "nobody is there to ask" in refused(2, "run", home)
    assert "nobody is there to ask" in refused(2, "fsck", home)
    assert tallyd("fsck", home, *told, stdin="open sesame\n").stdout.endswith("no difference\n")
    with pytest.raises(ConfigInvalid, match="nobody is there to ask"):
        Node.open(home / "profile.toml")
    (credentials / CREDENTIAL).write_text("open barley\n")
    monkeypatch.setenv(CREDENTIALS_DIRECTORY, str(credentials))
    assert "the passphrase does not open the key" in refused(2, "run", home)


def test_a_node_does_not_start_on_a_database_that_others_may_read(tmp_path: Path) -> None:
    """The ledger is shown by its node to who may see it: a folder through which others see it is refused, by name."""
    home = tmp_path / "archives"
    assert tallyd("init", home, *WHO, "--own-charter").returncode == 0
    (home / "data").chmod(0o755)
    assert f"{home}/data: the folder's mode is 0755; expected 0700" in refused(2, "run", home)


def test_a_home_with_encrypted_keys_founds_and_renews_with_encrypted_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is made beside encrypted ones is put under the same passphrase, and no other finds the ledger."""
    home, note = tmp_path / "archives", tmp_path / "charter.note"
    monkeypatch.setenv(CREDENTIALS_DIRECTORY, str(tmp_path))
    (tmp_path / CREDENTIAL).write_text("open sesame\n")
    assert tallyd("init", home, *WHO, "--encrypt").returncode == 0
    digest = charter_with(home, tmp_path, note)
    founding = ("init", home, "--charter", note, "--charter-digest", digest)
    (tmp_path / CREDENTIAL).write_text("open barley\n")
    assert "the passphrase does not open the key" in refused(2, *founding)
    assert not (home / "data").exists()
    (tmp_path / CREDENTIAL).write_text("open sesame\n")
    assert tallyd(*founding).returncode == 0
    assert tallyd("charter", "renew", home, "ledger", "witness").returncode == 0
    made = [home / "keys" / f"{name}.key" for name in ("clerk", "gateway", "ledger-2", "witness-2")]
    assert all(is_encrypted(path) for path in made)
    assert all(load_key(path, Passphrase()) for path in made)


def test_together_it_waits_for_the_charter(tmp_path: Path, listen: str) -> None:
    """The stanza goes into a charter that others sign; adopting it founds the ledger and registers the first actors."""
    home, note = tmp_path / "archives", tmp_path / "charter.note"
    assert tallyd("init", home, *WHO, "--listen", listen, "--name-zh", "档案局").returncode == 0
    assert "it names no charter yet" in refused(2, "run", home)
    digest = charter_with(home, tmp_path, note)
    other = digest[:-1] + ("1" if digest.endswith("0") else "0")
    assert "its digest is" in refused(5, "init", home, "--charter", note, "--charter-digest", other)
    assert not (home / "data").exists()
    adopted = tallyd("init", home, "--charter", note, "--charter-digest", digest)
    assert adopted.returncode == 0, adopted.stderr
    with running(home), Node.open(home / "profile.toml") as officer:
        assert officer.bureau.name.zh == "档案局"
        assert officer.declare("DA-1", scheme="pudong", title="Records", sharing="unconditional").index == 3
    assert "founded already" in refused(2, "init", home, "--charter", note, "--charter-digest", digest)


def test_a_registrar_elsewhere_registers_nobody_here(tmp_path: Path) -> None:
    """Without the registrar's key the ledger is founded with the charter's adoption alone, and the command says so."""
    home, note = tmp_path / "archives", tmp_path / "charter.note"
    assert tallyd("init", home, *WHO).returncode == 0
    digest = charter_with(home, tmp_path, note)
    (home / "keys" / "registrar.key").rename(tmp_path / "registrar.key")
    adopted = tallyd("init", home, "--charter", note, "--charter-digest", digest)
    assert adopted.returncode == 0
    assert "no actor was registered" in adopted.stderr
    assert tallyd("fsck", home).stdout == "pudong.example/archives: 1 entry, no difference\n"


@pytest.mark.parametrize("name", ["ledger", "witness", "registrar"])
def test_a_charter_of_other_keys_is_not_adopted(tmp_path: Path, name: str) -> None:
    """A home takes only a charter that names the keys it holds."""
    home, note = tmp_path / "archives", tmp_path / "charter.note"
    assert tallyd("init", home, *WHO).returncode == 0
    digest = charter_with(home, tmp_path, note)
    (home / "keys" / f"{name}.key").unlink()
    generate_key(home / "keys" / f"{name}.key")
    line = refused(2, "init", home, "--charter", note, "--charter-digest", digest)
    assert f"this is not the {name} key of archives" in line
    assert not (home / "data").exists()
    assert not (home / "charter.note").exists()


def test_an_expired_charter_is_not_adopted(tmp_path: Path) -> None:
    """A charter whose term is over founds no ledger."""
    home, note = tmp_path / "archives", tmp_path / "charter.note"
    assert tallyd("init", home, *WHO).returncode == 0
    digest = charter_with(home, tmp_path, note, now_us() - 730 * 24 * 3600 * 1_000_000)
    assert "it expired on" in refused(2, "init", home, "--charter", note, "--charter-digest", digest)
    assert not (home / "data").exists()


def test_a_home_is_never_overwritten(tmp_path: Path) -> None:
    """A folder in use is refused, and so is what an interruption left."""
    home = tmp_path / "archives"
    assert tallyd("init", home, *WHO).returncode == 0
    before = sorted(home.rglob("*"))
    assert "nothing is overwritten" in refused(2, "init", home, *WHO)
    assert sorted(home.rglob("*")) == before
    (tmp_path / "other.making").mkdir()
    assert "remove it if nothing is being made here" in refused(2, "init", tmp_path / "other", *WHO)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--credit-code", CREDIT_CODE[:-1] + "0", "check digit"),
        ("--credit-code", "123", "a unified social credit code"),
        ("--bureau", "Archives!", "a bureau id"),
        ("--origin", "archives", "an origin"),
    ],
)
def test_a_name_that_is_none_is_refused_before_anything_is_made(
    tmp_path: Path, option: str, value: str, said: str
) -> None:
    """Identifiers are checked first, with what was expected."""
    arguments = list(WHO)
    arguments[arguments.index(option) + 1] = value
    assert said in refused(2, "init", tmp_path / "archives", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_others_could_reach_is_refused(tmp_path: Path) -> None:
    """A home that listens in the clear on more than loopback is not made."""
    assert "is not loopback" in refused(
        2, "init", tmp_path / "archives", *WHO, "--in-the-clear", "--listen", "0.0.0.0:7411"
    )
    assert list(tmp_path.iterdir()) == []


def test_config_show_writes_every_default_out(tmp_path: Path) -> None:
    """What is printed is the whole of the settings, and reads as settings."""
    home = tmp_path / "archives"
    assert tallyd("init", home, *WHO).returncode == 0
    shown = tomllib.loads(tallyd("config", "show", home).stdout)
    assert shown == tomllib.loads((home / "tallyd.toml").read_text())
    assert {"keys", "write", "serve", "log", "listen", "data", "charter", "charter_digest", "bureau"} <= shown.keys()


def charter_with(home: Path, folder: Path, note: Path, at_us: int | None = None, others: Sequence[Bureau] = ()) -> str:
    """A charter that others sign with the home's stanza in it, after those of `others`; returns its digest."""
    (stanza,) = tomllib.loads((home / "bureau.toml").read_text())["bureau"]
    key = generate_key(folder / "charter.key")
    data, digest = sign_first_charter(
        "city", [*others, msgspec.convert(stanza, Bureau)], "city.example/key-1", key, at_us or now_us()
    )
    note.write_bytes(data)
    return digest


def test_an_observer_has_a_key_to_cosign_with_and_no_ledger(tmp_path: Path, listen: str) -> None:
    """Its stanza names a witness's key alone; under the charter its node serves, and a profile reads through it."""
    home, note = tmp_path / "archives", tmp_path / "charter.note"
    made = tallyd("init", home, *WHO, "--listen", listen, "--observer")
    assert made.returncode == 0, made.stderr
    (stanza,) = tomllib.loads((home / "bureau.toml").read_text())["bureau"]
    assert {name for name in stanza if name.endswith("_key")} == {"witness_key"}
    assert [path.name for path in (home / "keys").iterdir()] == ["witness.key"]
    digest = charter_with(home, tmp_path, note, others=[LedgerMaker().bureau])
    adopted = tallyd("init", home, "--charter", note, "--charter-digest", digest)
    assert adopted.returncode == 0, adopted.stderr
    assert tallyd("fsck", home).stdout == "pudong.example/archives: 0 entries, no difference\n"
    with running(home), Ledgers.open(home / "profile.toml", source="archives") as kept:
        (ledger,) = kept.charter.ledgers
        with pytest.raises(NotFound, match="no ledger"):  # it was shown nothing yet
            kept[ledger.id].refresh()
    assert "founded already" in refused(2, "init", home, "--charter", note, "--charter-digest", digest)


def test_an_observer_has_no_charter_of_its_own(tmp_path: Path) -> None:
    """Alone there is nobody to observe, and nothing is made."""
    said = tallyd("init", tmp_path / "archives", *WHO, "--observer", "--own-charter")
    assert said.returncode == 2
    assert "an observer has no charter of its own" in said.stderr
    assert list(tmp_path.iterdir()) == []
