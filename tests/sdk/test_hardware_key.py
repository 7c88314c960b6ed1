"""Keys in a device, here SoftHSM: they sign and derive as any other, never leave it, and what is in the way is said."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick import Node
from tallystick.core.errors import ConfigInvalid
from tallystick.core.keys import Signer, check_public_key, verify
from tallystick.sdk.key_file import load_key
from tallystick.sdk.passphrase import Passphrase
from tallystick.sdk.sealed import SealedFolder
from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally
from tests.cli.conftest import tally as tally
from tests.harness.passphrases import told
from tests.harness.processes import BIN

PLACES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
MODULE = next((place for place in PLACES if Path(place).exists()), "")
PIN = "123456"
LABELS = ("clerk", "other")

pytestmark = pytest.mark.skipif(not MODULE, reason="SoftHSM is not installed (apt-get install softhsm2)")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A device with two keys in it; the name of its token. The library is loaded, and knows its folder, once."""
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOFTHSM2_CONF", str(folder / "conf"))
        making = ("--init-token", "--free", "--label", "tally", "--pin", PIN, "--so-pin", PIN)
        subprocess.run(["softhsm2-util", *making], check=True, capture_output=True)
        with pkcs11.lib(MODULE).get_token(token_label="tally").open(user_pin=PIN, rw=True) as session:
            of_curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("1.3.101.112")}
            curve = session.create_domain_parameters(pkcs11.KeyType.EC_EDWARDS, of_curve, local=True)
            for label in LABELS:
                mechanism = pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN
                curve.generate_keypair(mechanism=mechanism, store=True, label=label)
        yield "tally"


def named(path: Path, token: str = "tally", label: str = "clerk", module: str = MODULE) -> Path:
    """A key's file that names one in a device."""
    path.write_text(f"pkcs11:token={token};object={label}?module-path={module}\n")
    path.chmod(0o600)
    return path


def opened(path: Path) -> Signer:
    return load_key(path, Passphrase(told(f"{PIN}\n")))


def elsewhere(path: Path, *options: str, stdin: str = "") -> str:
    """What another process prints of the key, which has not unlocked the device yet."""
    command = [str(BIN / "tally"), "key", "show", str(path), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=60)
    return done.stdout + done.stderr


def test_what_a_device_signs_verifies(token: str, tmp_path: Path) -> None:
    """Under the public key it shows, which is sound, and another key of the device has another."""
    key, other = opened(named(tmp_path / "a.key")), opened(named(tmp_path / "b.key", label="other"))
    check_public_key(key.public)
    assert key.public != other.public
    for message in (b"", b"x" * 5_000):
        assert verify(key.public, message, key.sign(message))
        assert not verify(other.public, message, key.sign(message))
    assert repr(key) == f"HardwareKey(public={key.public.hex()})"


def test_what_a_device_derives_stays_the_same(token: str, tmp_path: Path) -> None:
    """Opened again it derives the same 32 bytes for one context, and others for another; so what it sealed it opens."""
    key, again, other = (opened(named(tmp_path / "a.key", label=label)) for label in ("clerk", "clerk", "other"))
    assert key.derive("one") == again.derive("one")
    assert len({key.derive("one"), key.derive("two"), other.derive("one")}) == 3
    SealedFolder(tmp_path, key, "test").write("name", b"contents")
    assert SealedFolder(tmp_path, again, "test").read("name") == b"contents"


def test_what_is_in_the_way_is_said(token: str, tmp_path: Path) -> None:
    """A wrong PIN, token, label or library, and a line that names no key, are one error that names the file."""
    path = tmp_path / "a.key"
    for wrong in ({"token": "none"}, {"label": "none"}, {"module": "/nowhere/lib.so"}, {"module": __file__}):
        named(path, **wrong)
        with pytest.raises(ConfigInvalid, match=r"a\.key: the device does not show the key"):
            opened(path)
    named(path)
    for pin in ("654321", "1"):
        assert "the PIN does not open the device" in elsewhere(path, "--passphrase-fd", "0", stdin=f"{pin}\n")
    assert "nobody is there to ask" in elsewhere(path, "--open")
    assert opened(path).public.hex() in elsewhere(path, "--passphrase-fd", "0", stdin=f"{PIN}\n")
    good = path.read_text().strip()
    bent = ("pkcs11:", good.replace(";", "?"), f"{good}&x=1", good.replace("object", "id"), f"{good}\xff", good[:-60])
    for bad in bent:
        path.write_bytes(bad.encode("latin-1"))
        with pytest.raises(ConfigInvalid, match=r"a\.key: "):
            opened(path)
    named(path, module="lib.so")
    with pytest.raises(ConfigInvalid, match="an absolute path"):
        opened(path)
    named(path).chmod(0o644)
    with pytest.raises(ConfigInvalid, match="0644"):
        opened(path)


def test_an_officer_records_with_a_key_in_a_device(
    token: str, tally: Tally, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Requested, registered and signed with, a key in a device is an officer's as any other is."""
    member = cluster["taxation"]
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    named(keys / "hana.key")
    pin = ("--passphrase-fd", told(f"{PIN}\n"))
    making = ("identity", "init", "--actor", "taxation:hana", "--dir", keys, "--json", *pin)
    made = tally(*making, profile=member.profile).json
    assert tally("identity", "register", made["request"], profile=member.profile).code == 0
    profile = member.profile.with_name("hana.toml")
    text = member.profile.read_text().replace("taxation:clerk", "taxation:hana")
    key = next(line for line in text.splitlines() if line.startswith("key = ") and "clerk.key" in line)
    profile.write_text(text.replace(key, f'key = "{keys}/hana.key"'))
    (tmp_path / "data").write_bytes(b"few")
    pin = ("--passphrase-fd", told(f"{PIN}\n"))
    said = tally("provide", "R-1", tmp_path / "data", "--version", "v1", "--json", *pin, profile=profile)
    assert said.code == 0
    index = int(said.json["reference"].partition("#")[2])
    with Node.open(member.profile) as node:
        assert node.show(index).author.actor == "taxation:hana"
    pin = ("--passphrase-fd", told(f"{PIN}\n"))
    (shown,) = tally("key", "show", keys / "hana.key", *pin, "--json").json["keys"]
    assert (shown["kind"], shown["public"]) == ("Ed25519, in a device", made["public_key"])
    assert "not a private key" in tally("key", "encrypt", keys / "hana.key").err
