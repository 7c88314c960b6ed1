"""`tallyd cert` and `tally identity`: certificates are made, renewed and replaced, and said to end in time."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tallystick.core.certificate import parse_authorities
from tallystick.core.certified import check_certified
from tallystick.core.charter_chain import read_version
from tallystick.core.charter_draft import draft
from tallystick.core.charter_note import sign_charter
from tallystick.core.holder import NODE_HOST, Holder
from tallystick.sdk.certificates import CertificateAuthority, new_key
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import load_key, save_private
from tallystick.sdk.profile import Profile
from tallystick_node.authority import certified_files
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.config import Settings
from tests.harness.authorities import CLIENT, SERVER, bent
from tests.harness.clusters import checked_cluster
from tests.harness.processes import BIN, refused, tallyd
from tests.harness.small_home import new_home

MARKET, TAXATION = "market-regulation", "taxation"
HOUR_US = 3600 * 1_000_000


def tally(profile: Path, *arguments: str | Path, code: int = 0) -> str:
    """What the command prints, run as a person would."""
    done = subprocess.run(
        [BIN / "tally", "--profile", profile, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def done(*arguments: str | Path) -> str:
    """What `tallyd` prints, which must do what it is told."""
    made = tallyd(*arguments)
    assert made.returncode == 0, made.stderr
    return made.stdout


def authority(home: Path, party: str) -> CertificateAuthority:
    files = certified_files(home, "authority")
    return CertificateAuthority.load(files.certificate, files.key, party)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return new_home(tmp_path / "market")


@pytest.fixture
def cluster(tmp_path: Path, nursery: Nursery) -> Iterator[LocalCluster]:
    with checked_cluster(tmp_path / "certified", 2, nursery) as made:
        yield made


def test_a_node_s_certificate_is_renewed_where_its_authority_is(home: Settings) -> None:
    """A new key and certificate stand in the old ones' place, and are listed with the rest."""
    folder = home.path.parent
    files = certified_files(folder, "node")
    before = files.load()
    assert "market:node" in done("cert", "renew", folder, "--days", "30")
    after = files.load()
    assert after.certificate.public != before.certificate.public
    assert after.certificate.days_left(now_us()) == 29
    listed = done("cert", "show", folder)
    assert f"node.crt              market:node, 29 days left, {after.certificate}" in listed
    assert "authority.crt         the authority of market, 3,6" in listed
    assert "clerk.crt             market:clerk, 89 days left" in listed
    for certificate in (folder / "tls").glob("*.crt"):
        certificate.unlink()
    assert "there are no certificates" in refused(4, "cert", "show", folder)


def test_where_the_authority_is_elsewhere_a_request_goes_there(home: Settings, tmp_path: Path) -> None:
    """Its key taken away, a renewal needs a request; what comes back for it takes the old one's place, and no other."""
    folder, vault = home.path.parent, tmp_path / "vault"
    files = certified_files(folder, "authority")
    (vault / "tls").mkdir(parents=True, mode=0o700)
    shutil.copy(files.certificate, vault / "tls")
    shutil.move(files.key, vault / "tls")
    assert "the authority's key is not here" in refused(2, "cert", "renew", folder)
    request, answer = tmp_path / "node.csr", tmp_path / "node.crt"
    done("cert", "renew", folder, "--request", request)
    issue = ("cert", "issue", vault, "--party", "market", "--request", request, "--output", answer)
    assert "the request is for market:node" in refused(2, *issue, "market:clerk")
    done(*issue, "market:node")
    assert "there is a file already" in refused(2, *issue, "market:node")
    node = certified_files(folder, "node")
    before = node.load()
    done("cert", "issue", vault, "--party", "market", "market:clerk")
    stray = certified_files(vault, "clerk").certificate
    assert "it is the certificate of market:clerk" in refused(4, "cert", "renew", folder, "--certificate", stray)
    assert node.load() == before
    done("cert", "renew", folder, "--certificate", answer)
    assert node.load().certificate_pem == answer.read_bytes()
    assert "its key is not here" in done("cert", "show", folder)


def test_an_authority_is_followed_by_another(home: Settings, tmp_path: Path) -> None:
    """Both are pinned first; then the second issues, and not before a version pins it."""
    folder = home.path.parent
    charter, bureau = home.open_charter()
    first, again = done("cert", "authority", folder), done("cert", "authority", folder)
    assert first == again
    edits = done("cert", "authority", folder, "--next")
    assert edits == done("cert", "authority", folder, "--next")
    for suffix in ("crt", "key"):
        shutil.move(folder / "tls" / f"authority-next.{suffix}", folder / "tls" / f"authority.{suffix}")
    assert "the charter does not pin this authority" in refused(2, "cert", "renew", folder)
    version = read_version(home.place(home.config.charter).read_bytes())
    text = draft(version, edits, charter.issued)
    key = load_key(folder / "keys" / "charter.key")
    note = tmp_path / "charter-2.note"
    note.write_bytes(sign_charter(text, [("pudong.example/market/charter", key)]))
    done("charter", "adopt", folder, note)
    done("cert", "renew", folder)
    adopted, pinned = Settings.load(home.path).open_charter()
    old, new = pinned.authorities
    assert (old, new) == (bureau.authorities[0], authority(folder, "market").authority)
    renewed = certified_files(folder, "node").load().certificate
    assert renewed.issued_by(new)
    check_certified(adopted, renewed, now_us())


def test_an_auditor_has_an_authority_of_its_own(tmp_path: Path) -> None:
    """In a folder that is no home; what the charter is to pin is printed, and it certifies the auditor alone."""
    folder = tmp_path / "auditor"
    assert "whose certificates these are is not said" in refused(2, "cert", "authority", folder)
    stanza = done("cert", "authority", folder, "--party", "audit-office")
    assert stanza.startswith('[[auditor]]\nid = "audit-office"\ncertificate_authority = """\n-----BEGIN')
    pem = stanza.partition('"""\n')[2].partition('"""')[0]
    assert parse_authorities(pem, "audit-office") == (authority(folder, "audit-office").authority,)
    done("cert", "issue", folder, "audit-office", "--party", "audit-office")
    assert certified_files(folder, "audit-office").load().certificate.holder == Holder("audit-office")
    refusals = {"clerk": 2, "taxation:clerk": 4, "audit-office:authority": 2}
    for name, code in refusals.items():
        refused(code, "cert", "issue", folder, name, "--party", "audit-office")
    assert "--party taxation" in refused(
        2, "cert", "show", new_home(tmp_path / "market").path.parent, "--party", TAXATION
    )


def test_an_authority_under_a_passphrase_puts_what_it_issues_under_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key, and those made with certificates beside it; without the passphrase it issues nothing."""
    secrets, folder = tmp_path / "credentials", tmp_path / "auditor"
    secrets.mkdir(mode=0o700)
    told = secrets / "tallystick-passphrase"
    told.write_text("correct horse\n")
    told.chmod(0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secrets))
    done("cert", "authority", folder, "--party", "audit-office", "--encrypt")
    done("cert", "issue", folder, "audit-office", "--party", "audit-office")
    for name in ("authority", "audit-office"):
        assert certified_files(folder, name).key.read_bytes().startswith(b"-----BEGIN ENCRYPTED")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    refused(2, "cert", "issue", folder, "audit-office", "--party", "audit-office")


def test_a_client_renews_what_it_shows(cluster: LocalCluster, tmp_path: Path) -> None:
    """At once where the authority's key is beside it, else by a request; the nodes go on answering it."""
    profile = cluster[TAXATION].profile
    made = json.loads(tally(profile, "--json", "identity", "renew"))
    assert made["certificate"]["holder"] == "taxation:clerk"
    assert made["certificate"]["trouble"] is None
    request, answer = tmp_path / "auditor.csr", tmp_path / "auditor.crt"
    auditor = cluster.auditor_profile
    tally(auditor, "identity", "renew", "--request", request)
    issue = ("cert", "issue", cluster.folder, "audit-office", "--party", "audit-office")
    done(*issue, "--request", request, "--output", answer)
    tally(auditor, "identity", "renew", "--certificate", answer)
    assert "no key waits" in tally(auditor, "identity", "renew", "--certificate", answer, code=2)
    shown = json.loads(tally(profile, "--json", "identity", "show"))
    assert shown["certificate"]["fingerprint"] == made["certificate"]["fingerprint"]
    assert {each["actor"] for each in shown["actors"]} >= {"taxation:clerk", "taxation:gateway"}
    assert "certificate\taudit-office\n" in tally(auditor, "identity", "show")
    assert "your certificate" not in tally(auditor, "status")


def test_a_new_officer_is_registered_and_certified(cluster: LocalCluster, tmp_path: Path) -> None:
    """What `tally identity init` prints makes the profile; nothing is recorded until the certificate came."""
    clerk = cluster[TAXATION].profile
    printed = tally(clerk, "identity", "init", "--actor", "o-7f3a", "--dir", tmp_path / "keys")
    tally(clerk, "identity", "register", tmp_path / "keys" / "o-7f3a.request.json")
    ours = Profile.load(clerk)
    profile = tmp_path / "officer.toml"
    snippet = printed[printed.index("[identity]") : printed.index("\n\nIts certificate")]
    profile.write_text(
        f'charter = "{ours.charter_path}"\ncharter_digest = "{ours.charter_digest}"\nbureau = "taxation"\n'
        f'state = "state"\n{snippet}\n'
    )
    declare = ("declare", "O-1", "--scheme", "pudong", "--title", "O-1", "--sharing", "unconditional")
    assert "cannot be read" in tally(profile, *declare, code=2)
    request, answer = tmp_path / "o-7f3a.csr", tmp_path / "o-7f3a.crt"
    assert "the authority's key is not here" in tally(profile, "identity", "renew", code=2)
    tally(profile, "identity", "renew", "--request", request)
    done("cert", "issue", cluster[TAXATION].home, "o-7f3a", "--request", request, "--output", answer)
    tally(profile, "identity", "renew", "--certificate", answer)
    assert "taxation#" in tally(profile, *declare)


def put(folder: Path, party: str, name: str, hours_ago: int) -> None:
    """A certificate for a day, made so many hours ago, in the place of a party's."""
    holder, key = Holder(party, name), new_key()
    files = certified_files(folder, name or party)
    files.key.unlink()
    save_private(files.key, key)
    names = [x509.UniformResourceIdentifier(holder.uri), *([x509.DNSName(NODE_HOST)] if holder.is_node else [])]
    usages = (CLIENT, SERVER) if holder.is_node else (CLIENT,)
    made = bent(authority(folder, party), *names, usages=usages, key=key, now_us=now_us() - hours_ago * HOUR_US)
    files.certificate.write_bytes(made)


def test_a_certificate_that_ends_soon_is_said(cluster: LocalCluster) -> None:
    """By `tally status` of the client's own, by `tallyd cluster status` of the nodes', each with what to do."""
    put(cluster.folder, "audit-office", "", 20)
    assert "your certificate ends in 0 days: tally identity renew" in tally(cluster.auditor_profile, "status")
    assert json.loads(tally(cluster.auditor_profile, "--json", "status"))["certificate"]["renew"] is True
    home = cluster[TAXATION].home
    put(home, TAXATION, "node", 20)
    put(cluster[MARKET].home, MARKET, "node", 30)
    said = done("cluster", "status", "--dir", cluster.folder)
    assert f"taxation: the certificate of its node ends in 0 days: tallyd cert renew {home}\n" in said
    assert (
        f"{MARKET}: the certificate of its node: it is not in its term: tallyd cert renew {cluster[MARKET].home}"
        in said
    )
    done("cert", "renew", home)
    assert "taxation: the certificate" not in done("cluster", "status", "--dir", cluster.folder)
