"""Nothing secret is ever printed or logged: not by a node at debug level, not by a command, not by a traceback."""

from __future__ import annotations

import io
import secrets
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick import Node, Sensitive
from tallystick.cli.main import DEBUG, main
from tallystick.core.compose import compose, place
from tallystick.core.errors import TallystickError
from tallystick.core.keys import SigningKey
from tallystick.core.submission import seal
from tallystick.sdk.clock import new_id, new_salt
from tallystick.sdk.key_file import generate_key
from tallystick.sdk.passphrase import Passphrase
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.home import SETTINGS
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import SubmitRequest
from tests.harness.passphrases import told
from tests.harness.processes import BIN
from tests.harness.secrets import Secrets

SUBJECT, OTHER, PERSON = "310115199001011234", "浦东新区居民张三丰", "Wang Xiaoming, of the second floor"
PASSPHRASE = "correct horse 芝麻开门"
_SALT_BYTES = 32

Run = Callable[..., str]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """What nobody may see; every salt and key that is made in this process is put there as it is made."""
    known, draw = Secrets(), secrets.token_bytes

    def drawn(count: int | None = None) -> bytes:
        made = draw(count)
        if count == _SALT_BYTES:
            known.add("a salt or key", made)
        return made

    monkeypatch.setattr(secrets, "token_bytes", drawn)
    for name, text in (("subject", SUBJECT), ("other", OTHER), ("person", PERSON), ("passphrase", PASSPHRASE)):
        known.add(name, text)
    return known


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command that tells all it can of what went wrong; returns everything it prints."""
    monkeypatch.setenv(DEBUG, "1")

    def run(stdin: str, *arguments: object, profile: Path, fails: bool) -> str:
        capfd.readouterr()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main(["--profile", str(profile), *map(str, arguments)])
        said = "".join(capfd.readouterr())
        assert (code != 0) == fails, said
        assert said
        return said

    return run


def test_the_search_finds_a_secret_in_every_form(known: Secrets, tmp_path: Path) -> None:
    """A test that finds nothing shows something only if it would find what is there."""
    key = SigningKey(generated := secrets.token_bytes(32))
    path = tmp_path / "a.key"
    generate_key(path)
    known.add_key(path)
    for text in (SUBJECT, f"b'{SUBJECT}'", ascii(OTHER), repr(OTHER.encode()), OTHER.encode().hex(), generated.hex()):
        assert known.seen_in(f'{{"reason": "{text}"}}')
    assert known.seen_in(b64encode(generated).decode())
    assert known.seen_in(str(disclosing(key, "pudong.example/market", "market:clerk")))
    assert known.seen_in(path.read_text()) == {str(path)}
    assert not known.seen_in(f"{key!r} {Sensitive(SUBJECT)!r} {path}")


def disclosing(key: SigningKey, origin: str, actor: str, *, bent: bool = False) -> Submission:
    """A submission about a subject; bent, what it discloses does not open its commitment."""
    draft = compose("use", actor, {"version": "A@1", "purpose": "audit", "subject": Sensitive(OTHER)})
    submission_id = new_id()
    disclosures = place(draft, origin, submission_id, 0, new_salt)
    if bent:
        disclosures[0].salt = new_salt()
    return seal(origin, actor, key, submission_id, [draft.encode()], disclosures)


def given(passphrase: str) -> tuple[object, ...]:
    return "--passphrase-fd", told(passphrase)


def at_debug_level(cluster: LocalCluster) -> None:
    """Every node says all it can, in the one form or the other."""
    for number, member in enumerate(cluster):
        member.stop()
        path, form = member.home / SETTINGS, ("json", "console")[number % 2]
        text = path.read_text().replace('level = "info"', 'level = "debug"')
        path.write_text(text.replace('form = "console"', f'form = "{form}"'))
    for member in cluster:
        member.start()


def test_nothing_secret_is_printed_or_logged(cluster: LocalCluster, known: Secrets, run: Run, tmp_path: Path) -> None:
    """Recorded, asked about, proven, refused, backed up and stopped: no key, passphrase, token, salt or value shows."""
    at_debug_level(cluster)
    tax = cluster["taxation"]
    for path in tax.home.parent.rglob("*.key"):
        known.add_key(path)
    for member in cluster:
        known.add(f"token of {member.id}", member.settings.operator_token.read_text().strip())
    (tmp_path / "data").write_bytes(b"few")
    sealed, junk = tmp_path / "sealed.key", tmp_path / "junk.key"
    generate_key(sealed, PASSPHRASE.encode())
    junk.write_bytes((tax.home / "keys" / "clerk.key").read_bytes()[:-40])
    junk.chmod(0o600)
    open_to_all = tmp_path / "open.key"
    open_to_all.write_bytes((tax.home / "keys" / "clerk.key").read_bytes())

    use = ("use", "A@1", "--purpose", "audit", "--subject-from-stdin")
    duty = ("duty", "assign", "taxation", "--duty", "steward", "--resource", "A", "--person-from-stdin")
    asked, shown = ("lookups", "--subject-from-stdin"), ("shown", "--subject-from-stdin")
    request = tmp_path / "tim.request.json"
    register = ("identity", "register", request)
    gateway = tax.home / "keys" / "gateway.key"
    fine: list[tuple[str, tuple[object, ...]]] = [
        ("", ("declare", "A", "--title", "t", "--scheme", "local", "--sharing", "withheld")),
        ("", ("provide", "A", tmp_path / "data", "--version", "1")),
        (SUBJECT, use),
        (OTHER, (*use, "--json")),
        (PERSON, duty),
        (SUBJECT, asked),
        (OTHER, (*asked, "--json")),
        (SUBJECT, shown),
        ("", ("log", "taxation", "--json")),
        ("", ("show", "taxation#5")),
        ("", ("show", "taxation#5", "--json")),
        ("", ("prove", "taxation#5", "-o", tmp_path / "proof")),
        ("", ("verify", tmp_path / "proof", "--json")),
        ("", ("prove", "taxation#5", "--disclose", "subject", "-o", tmp_path / "disclosing")),
        ("", ("show", "taxation#5", "--json")),
        ("", ("shown", "taxation#5", "--json")),
        ("", ("status",)),
        ("", ("identity", "init", "--actor", "tim", "--dir", tmp_path, "--encrypt", *given(PASSPHRASE))),
        (PERSON, (*register, "--name-from-stdin")),
        ("", ("identity", "show", "taxation", "--json")),
        ("", ("key", "show", sealed, *given(PASSPHRASE), "--json")),
        ("", ("key", "encrypt", gateway, *given(PASSPHRASE))),
        ("", ("key", "reseal", sealed, *given(PASSPHRASE))),
    ]
    bad: list[tuple[str, tuple[object, ...]]] = [
        (SUBJECT * 4_000, use),
        (SUBJECT, ("use", "A@1@2", "--purpose", "audit", "--subject-from-stdin")),
        (SUBJECT * 4_000, asked),
        ("", (*register, "--registrar-key", junk)),
        ("", (*register, "--registrar-key", open_to_all)),
        ("", (*register, "--registrar-key", sealed)),
        ("", ("key", "show", tmp_path / "tim.key", *given("wrong"))),
        ("", ("key", "show", junk)),
        ("", ("use", "A@1", "--purpose", "audit", "--profile", tax.gateway_profile)),
    ]
    said = [run(stdin, *arguments, profile=tax.profile, fails=False) for stdin, arguments in fine]
    said += [run(stdin, *arguments, profile=tax.profile, fails=True) for stdin, arguments in bad]
    with Node.open(tax.profile) as node:
        key = node._key
        assert isinstance(key, SigningKey)
        bent = SubmitRequest(submission=disclosing(key, node.bureau.origin, node.actor, bent=True))
        with pytest.raises(TallystickError) as of_node:
            node.wire.submit(bent)
        with pytest.raises(TallystickError) as of_client:
            node.use("A@1", purpose="audit", subject=Sensitive(OTHER * 4_000))
        said += [f"{error.value} {error.value!r}" for error in (of_node, of_client)]
        said.append(f"{node!r} {key!r} {node.salts!r} {node._spool!r}")
    backup = tmp_path / "backup"
    said.append(tallyd("backup", tax.home, backup, "--with-keys"))
    tax.stop()
    said += [tallyd(*arguments) for arguments in (("fsck", tax.home), ("config", "show", tax.home))]
    said.append(tallyd("charter", "renew", tax.home, "ledger", "witness"))
    (tax.home / "keys" / "ledger.key").write_bytes(junk.read_bytes())
    said.append(tallyd("run", tax.home))
    (tax.home / "keys" / "ledger.key").write_bytes(sealed.read_bytes())
    said.append(tallyd("run", tax.home, "--passphrase-fd", "0", stdin=PASSPHRASE))
    (tax.home / "keys" / "ledger.key").write_bytes((backup / "keys" / "ledger.key").read_bytes())
    passphrase = Passphrase(told(PASSPHRASE))
    for path in (*tax.home.parent.rglob("*.key"), *backup.rglob("*.key")):
        known.add_key(path, passphrase)

    logs = [member.log_text for member in cluster]
    assert all("debug" in log for log in logs)
    assert len(known) > 40
    for text in (*said, *logs, (tmp_path / "proof").read_text(), request.read_text()):
        assert known.seen_in(text) == set(), text


def tallyd(*arguments: object, stdin: str = "") -> str:
    """Everything the installed command prints, which ends one way or the other."""
    done = subprocess.run(
        [BIN / "tallyd", *map(str, arguments)], capture_output=True, text=True, input=stdin, timeout=60
    )
    assert done.stdout + done.stderr
    return done.stdout + done.stderr
