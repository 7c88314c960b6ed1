"""declare, provide and identity against real nodes."""

from __future__ import annotations

import json
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from tallystick.core.commitment import salted_digest
from tallystick.core.errors import NotAuthentic
from tallystick.core.holder import Holder
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.clock import now_us
from tallystick.sdk.digests import digest_file
from tallystick.sdk.node import Node
from tallystick.sdk.profile import Profile
from tallystick.sdk.salts import SALTS, SaltStore
from tallystick_node.authority import certified_files
from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Said, Tally

TAX = "taxation"
OPEN = ("--title", "Open data", "--scheme", "local", "--sharing", "unconditional")


@pytest.fixture
def profile(shared_cluster: LocalCluster) -> Path:
    return shared_cluster[TAX].profile


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("code,name\n1,one\n")
    return path


def said_in(tally: Tally, reference: str, profile: Path) -> dict[str, object]:
    """What an entry says."""
    said: dict[str, object] = tally("show", reference, "--json", profile=profile).json["said"]
    return said


def test_declare_records_all_it_was_told(tally: Tally, profile: Path) -> None:
    """Every option finds its field."""
    said = tally(
        *(
            "declare",
            "D-1",
            "--title",
            "题目",
            "--scheme",
            "gb.21063-4",
            "--sharing",
            "conditional",
            "--condition",
            "joint",
        ),
        *("--level", "important", "--field", "name:text:personal", "--field", "n", "--cycle", "R/P1M"),
        *("--steward", "unit", "--premise", "p1", "--premise", "p2", "--method", "api", "--json"),
        profile=profile,
    )
    assert said.code == 0
    assert said.json["recorded"] is True
    assert said.json["standing"] == "recorded"
    assert said_in(tally, said.json["reference"], profile) == {
        "resource": "D-1",
        "scheme": "gb.21063-4",
        "title": "题目",
        "sharing": "conditional",
        "condition": {"words": "joint"},
        "level": "important",
        "fields": [{"name": "name", "type": "text", "sensitivity": "personal"}, {"name": "n"}],
        "update_cycle": "R/P1M",
        "steward": "unit",
        "premises": ["p1", "p2"],
        "methods": ["api"],
    }


def test_declaring_the_same_again_records_nothing(tally: Tally, profile: Path) -> None:
    """Unless something stands between: another declaration, or a withdrawal."""
    first = tally("declare", "D-2", *OPEN, "--json", profile=profile).json
    again = tally("declare", "D-2", *OPEN, "--json", profile=profile).json
    assert (again["recorded"], again["reference"]) == (False, first["reference"])
    assert "already declared so" in tally("declare", "D-2", *OPEN, profile=profile).out
    changed = tally("declare", "D-2", *OPEN, "--public", "--json", profile=profile).json
    assert changed["recorded"] is True
    back = tally("declare", "D-2", *OPEN, "--json", profile=profile).json
    assert back["recorded"] is True
    with Node.open(profile) as node:
        node.withdraw("D-2")
    assert tally("declare", "D-2", *OPEN, "--json", profile=profile).json["recorded"] is True


@pytest.mark.parametrize(
    "arguments",
    [
        ("A@1", *OPEN),
        ("", *OPEN),
        ("A" * 257, *OPEN),
        ("A", "--title", "", "--scheme", "local", "--sharing", "withheld"),
        ("A", "--title", "x" * 401, "--scheme", "local", "--sharing", "withheld"),
        ("A", "--title", "x", "--scheme", "No Scheme", "--sharing", "withheld"),
        ("A", *OPEN, "--cycle", "monthly"),
        ("A", *OPEN, "--field", ":text"),
        ("A", *OPEN, "--basis", "x" * 401),
        ("A", *OPEN, *("--premise", "p") * 33),
        ("A\udcff", *OPEN),
        ("A", *OPEN, "--steward", "half \udcff"),
    ],
    ids=str,
)
def test_what_cannot_be_declared_is_refused_in_one_line(
    tally: Tally, profile: Path, arguments: tuple[str, ...]
) -> None:
    """Exit code 2, and nothing is recorded."""
    before = tally("log", "-n", 1, "--json", profile=profile).jsons[0]["index"]
    said = tally("declare", *arguments, profile=profile)
    assert said.code == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert tally("log", "-n", 1, "--json", profile=profile).jsons[0]["index"] == before


def test_an_open_resource_shows_its_digest(tally: Tally, profile: Path, data: Path) -> None:
    """The digest is the file's, and names the version where nothing else does."""
    tally("declare", "P-1", *OPEN, profile=profile)
    said = tally(
        "provide", "P-1", data, "--rows", 1, "--from", "S@1", "--cleaned", "--check", "c", "--json", profile=profile
    )
    assert said.code == 0
    digest = digest_file(data).blake3.hex()
    assert said.json["digest"] == f"blake3:{digest}"
    assert said.json["version"] == f"P-1@{digest[:12]}"
    assert (said.json["declared"], said.json["salt_kept_in"]) == (True, None)
    assert said_in(tally, said.json["reference"], profile) == {
        "version": said.json["version"],
        "derived_from": ["S@1"],
        "digest": f"blake3:{digest}",
        "size": 16,
        "rows": 1,
        "quality": {"cleaned": True, "checks": ["c"]},
    }


def test_any_other_resource_shows_a_salted_digest_and_says_where_the_salt_is(
    tally: Tally, profile: Path, data: Path
) -> None:
    """The kept salt and the file give the digest on the ledger."""
    tally("declare", "P-2", "--title", "t", "--scheme", "local", "--sharing", "withheld", profile=profile)
    said = tally("provide", "P-2", data, "--version", "v1", "--json", profile=profile)
    read = Profile.load(profile)
    salt = SaltStore(read.state / SALTS, read.signing_key()).salt_of(TAX, "P-2@v1")
    assert salt not in Path(said.json["salt_kept_in"]).read_bytes()
    expected = salted_digest(salt, TAX, "P-2", "v1", digest_file(data).blake3)
    assert said.json["digest"] == f"committed:{expected.hex()}"
    text = tally(
        "provide",
        "P-2",
        data,
        "--version",
        "v2",
        "--desensitised",
        "hashed",
        "--desensitised-field",
        "n",
        profile=profile,
    )
    assert "The salt is kept, sealed, in " in text.err


def test_an_undeclared_resource_is_recorded_and_told(tally: Tally, profile: Path, data: Path) -> None:
    """A ledger holds inconvenient truths; who records them is warned."""
    said = tally("provide", "NEVER-DECLARED", data, profile=profile)
    assert said.code == 0
    assert "not declared on this ledger" in said.err


@pytest.mark.parametrize("file", ["none", "."])
def test_a_file_that_cannot_be_read_is_named(tally: Tally, profile: Path, tmp_path: Path, file: str) -> None:
    """Exit code 2."""
    said = tally("provide", "P-1", tmp_path / file, profile=profile)
    assert said.code == 2
    assert str(tmp_path) in said.err


def test_a_profile_without_an_identity_records_nothing(tally: Tally, shared_cluster: LocalCluster, data: Path) -> None:
    """An auditor reads; exit code 2 says that the profile is the wrong one."""
    profile = shared_cluster.auditor_profile
    for arguments in (["declare", "A", *OPEN], ["provide", "A", data], ["identity", "init", "--actor", "joe"]):
        assert tally(*arguments, profile=profile).code == 2


# Identities.


def actors(tally: Tally, profile: Path) -> dict[str, dict[str, object]]:
    return {found["actor"]: found for found in tally("identity", "show", "--json", profile=profile).json["actors"]}


def init(tally: Tally, profile: Path, name: str, folder: Path, *options: str) -> Said:
    said = tally("identity", "init", "--actor", name, "--dir", folder, *options, "--json", profile=profile)
    assert said.code == 0, said.err
    return said


def test_a_key_is_made_registered_used_and_revoked(
    tally: Tally, shared_cluster: LocalCluster, profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The life of an actor, as its commands lead it; each step repeated records nothing. Its name is no argument, which
    all users of the machine could see.
    """
    made = init(tally, profile, "joe", tmp_path).json
    assert Path(made["key_file"]).stat().st_mode & 0o777 == 0o600
    register = ("identity", "register", made["request"], "--name-from-stdin")
    assert "no such option '--name'" in tally(*register[:-1], "--name", "Joe Roe", profile=profile).err
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"Joe Roe\n" * 3)))
    registered = tally(*register, "--json", profile=profile).json
    assert registered["recorded"] is True
    assert tally(*register, "--json", profile=profile).json["recorded"] is False
    assert "Joe Roe" not in tally("show", registered["reference"], profile=profile).out

    own = tmp_path / "joe.toml"
    text = profile.read_text().replace('"../', f'"{profile.parent.parent}/').partition("[identity]")[0]
    authority = certified_files(shared_cluster[TAX].home, "authority")
    issuing = CertificateAuthority.load(authority.certificate, authority.key, TAX)
    CertifiedFiles(tmp_path / "tls.crt", tmp_path / "tls.key").renew(issuing, Holder(TAX, "joe"), now_us())
    own.write_text(
        f'{text}[identity]\nactor = "{made["actor"]}"\nkey = "{made["key_file"]}"\n'
        '[tls]\ncertificate = "tls.crt"\nkey = "tls.key"\n'
    )
    assert tally("declare", "JOES", *OPEN, profile=own).code == 0

    revoke = ("identity", "revoke", "taxation:joe", "--reason", "left", "--compromised-since", "2026-01-01")
    revoked = tally(*revoke, "--json", profile=profile).json
    assert revoked["recorded"] is True
    assert tally(*revoke, "--json", profile=profile).json["recorded"] is False
    assert tally("declare", "JOES-2", *OPEN, profile=own).code == 4
    found = actors(tally, profile)["taxation:joe"]
    assert f"{TAX}#{found['registered_at']}" == registered["reference"]
    assert f"{TAX}#{found['revoked_at']}" == revoked["reference"]
    assert tally(*register, profile=profile).code == 4
    text_of_revocation = tally("show", revoked["reference"], profile=profile).out
    assert registered["reference"] in text_of_revocation


def test_identity_show_names_the_charters_keys_too(tally: Tally, profile: Path) -> None:
    """Node and registrar are the charter's; the list says whose word it is."""
    found = actors(tally, profile)
    assert found[f"{TAX}:node"]["registered_at"] is None
    assert found[f"{TAX}:clerk"]["role"] == "officer"
    assert found[f"{TAX}:gateway"]["role"] == "system"
    assert "as answered by its node" in tally("identity", "show", profile=profile).out


def test_an_existing_key_or_request_is_never_replaced(tally: Tally, profile: Path, tmp_path: Path) -> None:
    """A second init leaves both files as they are."""
    made = init(tally, profile, "ann", tmp_path).json
    before = Path(made["key_file"]).read_bytes(), Path(made["request"]).read_bytes()
    assert tally("identity", "init", "--actor", "ann", "--dir", tmp_path, profile=profile).code == 2
    Path(made["request"]).unlink()
    assert tally("identity", "init", "--actor", "ann", "--dir", tmp_path, profile=profile).code == 2
    assert Path(made["key_file"]).read_bytes() == before[0]


@pytest.mark.parametrize(
    "actor", ["node", "registrar", "A b", "planning-office:joe", "planning:joe", "", ":", "x" * 40]
)
def test_an_actor_must_be_one(tally: Tally, profile: Path, tmp_path: Path, actor: str) -> None:
    """A name the charter keeps, a bureau it does not know or that is not the profile's, or no name at all: refused
    before a key is made.
    """
    said = tally("identity", "init", "--actor", actor, "--dir", tmp_path / "keys", profile=profile)
    assert said.code in (2, 4)
    assert not (tmp_path / "keys").exists()


def test_a_request_that_was_changed_is_refused(tally: Tally, profile: Path, tmp_path: Path) -> None:
    """Its own key signed for one actor, in one role, on one ledger."""
    request = Path(init(tally, profile, "eve", tmp_path).json["request"])
    good = json.loads(request.read_text())
    changes: list[object] = [
        good | {"role": "system"},
        good | {"actor": "taxation:chief"},
        good | {"origin": "pudong.example/planning"},
        good | {"role": "registrar"},
        good | {"role": "node"},
        good | {"key": "00" * 32},
        good | {"key": "zz"},
        good | {"possession": ""},
        good | {"actor": 7},
        good | {"format": "other"},
        {},
        [],
        "text",
    ]
    for changed in changes:
        request.write_text(json.dumps(changed))
        assert tally("identity", "register", request, profile=profile).code in (4, 5)
    for garbage in (b"", b"\xff\xfe", b"[" * 100_000, b"9" * 5_000, b" " * 20_000):
        request.write_bytes(garbage)
        assert tally("identity", "register", request, profile=profile).code == 4
    assert "taxation:eve" not in actors(tally, profile)


def test_only_the_registrars_key_registers(
    tally: Tally, shared_cluster: LocalCluster, profile: Path, tmp_path: Path
) -> None:
    """Another bureau's registrar, or a clerk's key, is told that it is the wrong one; with the right one, only who may
    record at that bureau's node registers.
    """
    request = init(tally, profile, "may", tmp_path).json["request"]
    for wrong in ("planning/keys/registrar.key", "taxation/keys/clerk.key"):
        said = tally("identity", "register", request, "--registrar-key", shared_cluster.folder / wrong, profile=profile)
        assert said.code == 2
        assert "not the registrar's key" in said.err
    right = shared_cluster.folder / "taxation/keys/registrar.key"
    auditor = shared_cluster.auditor_profile
    register = ("identity", "register", request, "--registrar-key", right)
    assert tally(*register, profile=auditor).code == 4
    assert tally(*register, profile=profile).code == 0


def test_which_of_several_keys_is_asked(tally: Tally, profile: Path, tmp_path: Path) -> None:
    """An actor may have two keys; a revocation names one."""
    keys = []
    for number in range(2):
        made = init(tally, profile, "sue", tmp_path / str(number), "--role", "system").json
        assert tally("identity", "register", made["request"], "--system", "S-1", profile=profile).code == 0
        keys.append(made["public_key"])
    assert tally("identity", "revoke", "taxation:sue", profile=profile).code == 2
    assert tally("identity", "revoke", "taxation:sue", "--key", keys[0], profile=profile).code == 0
    assert tally("identity", "revoke", "taxation:sue", profile=profile).code == 0
    assert tally("identity", "revoke", "taxation:sue", "--key", "00" * 32, profile=profile).code == 4
    assert tally("identity", "revoke", "taxation:nobody", profile=profile).code == 4


def test_no_key_is_compromised_from_a_moment_to_come(tally: Tally, profile: Path, tmp_path: Path) -> None:
    """Refused with that moment and now, and nothing is recorded."""
    made = init(tally, profile, "uma", tmp_path).json
    assert tally("identity", "register", made["request"], profile=profile).code == 0
    said = tally("identity", "revoke", "taxation:uma", "--compromised-since", "2999-01-01", profile=profile)
    assert said.code == 2
    assert "2999-01-01 00:00:00+08:00 is yet to come; expected a moment up to now, 2" in said.err
    assert actors(tally, profile)["taxation:uma"]["revoked_at"] is None


def test_a_revoked_key_is_refused_by_name(tally: Tally, profile: Path, tmp_path: Path) -> None:
    """The SDK gets the same refusal as the command."""
    made = init(tally, profile, "tim", tmp_path).json
    tally("identity", "register", made["request"], profile=profile)
    tally("identity", "revoke", "taxation:tim", profile=profile)
    from tallystick.sdk.key_file import load_key

    with Node.open(profile) as node:
        other = Node(node.wire, node._trust, "taxation:tim", load_key(Path(made["key_file"])), tmp_path)
        with pytest.raises(NotAuthentic):
            other.declare("X", scheme="local", title="t", sharing="withheld")
