"""Between nodes and clients there is mutual TLS, on real sockets: who cannot show who he is, is not spoken with."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import grpc
import msgspec
import pytest
from cryptography import x509

from tallystick.core.bureau import Bureau
from tallystick.core.errors import ConfigInvalid, NotAllowed, Unreachable
from tallystick.core.holder import Holder
from tallystick.sdk.certificates import CertificateAuthority, new_key
from tallystick.sdk.certified_key import CertifiedFiles
from tallystick.sdk.clock import now_us
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.dialling import open_channel
from tallystick.sdk.key_file import save_private
from tallystick.sdk.profile import Profile
from tallystick.sdk.wire import Wire
from tallystick_node.authority import certified_files
from tallystick_node.bounds import BOUNDS
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.cluster.ports import HOST
from tallystick_node.peers import Peer
from tallystick_proto.v1.gossip_pb2 import TellRequest
from tallystick_proto.v1.ledger_pb2 import CheckpointRequest
from tallystick_proto.v1.ledger_pb2_grpc import LedgerStub
from tests.harness import loop
from tests.harness.authorities import bent
from tests.harness.clusters import checked_cluster
from tests.harness.processes import BIN

MARKET, TAXATION = "market-regulation", "taxation"
CLERK = Holder(TAXATION, "clerk")
DAY_US = 24 * 3600 * 1_000_000
TELL = "tallystick.v1.Gossip/Tell"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Two bureaus; no test changes anything in it."""
    with checked_cluster(tmp_path_factory.mktemp("transport") / "cluster", 2, nursery) as made:
        yield made


def clerk(cluster: LocalCluster, bureau: str = TAXATION) -> Credentials:
    """What a bureau's officer shows."""
    found = Profile.load(cluster[bureau].profile).credentials
    assert found is not None
    return found


def authority(cluster: LocalCluster, bureau: str) -> CertificateAuthority:
    """A bureau's own authority."""
    files = certified_files(cluster[bureau].home, "authority")
    return CertificateAuthority.load(files.certificate, files.key, bureau)


def signed(folder: Path, by: CertificateAuthority, whom: Holder, days: int = 0) -> Credentials:
    """What an authority's key signs for whomever, valid for a day, so many days from now."""
    key, uri = new_key(), x509.UniformResourceIdentifier(whom.uri)
    files = CertifiedFiles(folder / "shown.crt", folder / "shown.key")
    save_private(files.key, key)
    files.certificate.write_bytes(bent(by, uri, key=key, now_us=now_us() + days * DAY_US))
    return Credentials(files)


def ask(node: Bureau, credentials: Credentials | None) -> None:
    """A call that every caller may make. Raises what it raises."""
    with closing(Wire(node, credentials=credentials)) as wire:
        wire.checkpoint(0)


def test_who_shows_a_certificate_of_its_own_authority_is_answered(cluster: LocalCluster) -> None:
    """An officer of each bureau, a node, and the auditor, by every node."""
    auditor = Profile.load(cluster.auditor_profile).credentials
    for node in (cluster[MARKET].bureau, cluster[TAXATION].bureau):
        for credentials in (clerk(cluster, MARKET), clerk(cluster), cluster[TAXATION].settings.credentials, auditor):
            ask(node, credentials)


def test_who_shows_nothing_is_not_spoken_with(cluster: LocalCluster) -> None:
    """A client without credentials says so itself and calls nobody; one that calls all the same is hung up on."""
    market = cluster[MARKET].bureau
    with pytest.raises(ConfigInvalid, match=rf"{MARKET} at .*speaks TLS, and there is no certificate.*\[tls\]"):
        ask(market, None)
    security = grpc.ssl_channel_credentials(market.certificate_authority.encode())
    options = [("grpc.ssl_target_name_override", "node.tallystick")]
    with grpc.secure_channel(market.endpoint, security, options) as channel, pytest.raises(grpc.RpcError) as told:
        LedgerStub(channel).GetCheckpoint(CheckpointRequest(), timeout=20)
    assert told.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_profile_without_a_certificate_says_what_it_lacks(cluster: LocalCluster) -> None:
    """One line on standard error and exit code 2, or a line a ledger; no node is called anything for it."""
    lacking = cluster.folder / "profiles" / "lacking.toml"
    lacking.write_text(cluster.auditor_profile.read_text().partition("[tls]")[0])

    def tally(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(BIN / "tally"), "--profile", str(lacking), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    shown = tally("show", f"{MARKET}#0")
    assert (shown.returncode, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert "expected [tls] with a certificate and its key, in the profile" in shown.stderr
    status = tally("status")
    assert status.returncode == 2
    assert status.stdout.count("not asked: ") == 2
    assert "BELIEVED" not in status.stdout


@pytest.mark.parametrize("words", [("status",), ("audit",), ("show", f"{MARKET}#0")], ids=lambda words: words[0])
def test_a_certificates_key_is_opened_once_before_anything_is_shown(
    cluster: LocalCluster, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A passphrase that does not open it is said in one line, whatever number of nodes would have been asked."""
    key = certified_files(cluster.folder, "audit-office").key
    sealed = tmp_path / "sealed.key"
    save_private(sealed, new_key(), b"open sesame")
    profile = cluster.folder / "profiles" / f"sealed-{words[0]}.toml"
    text = cluster.auditor_profile.read_text()
    profile.write_text(text.replace(f'"../tls/{key.name}"', f'"{sealed}"'))
    command = [str(BIN / "tally"), "--profile", str(profile), *words, "--passphrase-fd", "0"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, input="open barley\n")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == f"tally: {sealed}: the passphrase does not open the key; expected the one it was made with\n"


@pytest.mark.parametrize("days", [-2, 2], ids=["expired", "not yet valid"])
def test_a_certificate_out_of_its_term_is_not_taken(cluster: LocalCluster, tmp_path: Path, days: int) -> None:
    """And the client guesses which file may be to blame."""
    shown = signed(tmp_path, authority(cluster, TAXATION), CLERK, days)
    with pytest.raises(Unreachable, match=rf"it hung up, .* not accepting .*{shown.files.certificate.name}"):
        ask(cluster[MARKET].bureau, shown)


def test_an_authority_that_no_charter_pins_lets_nobody_in(cluster: LocalCluster, tmp_path: Path) -> None:
    """Though it goes by a bureau's name."""
    stranger = CertificateAuthority.make(TAXATION, now_us())
    with pytest.raises(Unreachable, match=r"it hung up, .* not accepting"):
        ask(cluster[MARKET].bureau, signed(tmp_path, stranger, CLERK))


def test_one_bureaus_authority_lets_in_nobody_of_another(cluster: LocalCluster, tmp_path: Path) -> None:
    """gRPC lets in whom any pinned authority certified; that it names another bureau's actor, the node sees."""
    forged = signed(tmp_path, authority(cluster, TAXATION), Holder(MARKET, "clerk"))
    with pytest.raises(NotAllowed, match="not for you"):
        ask(cluster[MARKET].bureau, forged)


def test_calls_in_anothers_name_take_none_of_his_places(cluster: LocalCluster, tmp_path: Path) -> None:
    """Who goes by a name that another party's authority gave him is refused, though he says nothing; with however many
    calls he waits for that, whose name it is has his own.
    """
    forged = signed(tmp_path, authority(cluster, TAXATION), Holder(MARKET, "clerk")).read()
    market, done = cluster[MARKET].bureau, Event()

    def silent() -> Iterator[bytes]:
        done.wait()
        yield b""

    with open_channel(market, forged) as channel:
        call: Any = channel.stream_stream(f"/{TELL}")
        made = [call(silent()) for _ in range(8 * BOUNDS[TELL].at_once_max)]
        try:
            with closing(Wire(market, credentials=clerk(cluster, MARKET))) as wire:
                wire.tell(TellRequest())
            for each in made:
                with pytest.raises(grpc.RpcError) as raised:
                    list(each)
                assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED
        finally:
            done.set()


def test_another_bureaus_node_does_not_pass_for_one(cluster: LocalCluster) -> None:
    """A bureau's endpoint is answered under that bureau's authority, or the client does not go on."""
    elsewhere = msgspec.structs.replace(cluster[MARKET].bureau, endpoint=cluster[TAXATION].bureau.endpoint)
    with pytest.raises(Unreachable, match=f"{MARKET} at .*not of the authority that the charter pins"):
        ask(elsewhere, clerk(cluster))


def test_an_actor_does_not_pass_for_its_bureaus_node(cluster: LocalCluster) -> None:
    """A certificate serves the end of a connection that it was issued for."""
    shown = clerk(cluster, MARKET).read()
    security = grpc.ssl_server_credentials([(shown.key_pem, shown.certificate_pem)])
    with listening(security) as port:
        posing = msgspec.structs.replace(cluster[MARKET].bureau, endpoint=f"{HOST}:{port}")
        with pytest.raises(Unreachable, match=f"{MARKET} at .*certificate"):
            ask(posing, clerk(cluster))


def test_what_pins_an_authority_is_never_spoken_to_in_the_clear(cluster: LocalCluster) -> None:
    """A listener that answers in the clear at its address hears of no call."""
    with listening(None) as port:
        stripped = msgspec.structs.replace(cluster[MARKET].bureau, endpoint=f"{HOST}:{port}")
        with pytest.raises(Unreachable, match="it does not speak TLS; expected TLS"):
            ask(stripped, clerk(cluster))


def test_a_node_that_hangs_is_not_said_to_be_gone(cluster: LocalCluster) -> None:
    """A socket that takes connections and never says a word: that somebody is there is known, and said."""
    with socket.create_server((HOST, 0)) as silent:
        hanging = msgspec.structs.replace(cluster[MARKET].bureau, endpoint=f"{HOST}:{silent.getsockname()[1]}")
        with pytest.raises(Unreachable, match="somebody listens there and does not answer"):
            ask(hanging, clerk(cluster))


def test_what_pins_none_is_spoken_to_on_loopback_alone(cluster: LocalCluster) -> None:
    """Elsewhere nothing is dialled, by clients and nodes alike; on loopback a node that speaks TLS is not heard."""
    market = cluster[MARKET].bureau
    away = msgspec.structs.replace(market, certificate_authority="", endpoint="192.0.2.1:7411")
    with pytest.raises(Unreachable, match="the charter pins no certificate authority of it"):
        ask(away, clerk(cluster))

    async def dial() -> None:
        async with Peer(away, credentials=cluster[TAXATION].settings.credentials):
            pass

    with pytest.raises(Unreachable, match="the charter pins no certificate authority of it"):
        loop.run(dial())
    with pytest.raises(Unreachable, match=r"it hung up, .* speaking TLS"):
        ask(msgspec.structs.replace(market, certificate_authority=""), None)


def test_a_renewed_certificate_is_taken_up_by_who_is_running(cluster: LocalCluster, tmp_path: Path) -> None:
    """A client whose certificate is refused goes on once the files hold another, without being opened again."""
    shown = signed(tmp_path, CertificateAuthority.make(TAXATION, now_us()), CLERK)
    with closing(Wire(cluster[MARKET].bureau, credentials=shown)) as wire:
        with pytest.raises(Unreachable):
            wire.checkpoint(0)
        shown.files.renew(authority(cluster, TAXATION), CLERK, now_us())
        with pytest.raises(Unreachable):  # the channel that stood went on with what it was opened with
            wire.checkpoint(0)
        assert wire.checkpoint(0).checkpoint


class listening:
    """A server on a free port that nobody is meant to reach: whatever it is asked fails the test that asks."""

    def __init__(self, security: grpc.ServerCredentials | None) -> None:
        self._server = grpc.server(ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
        self._port = (
            self._server.add_insecure_port(f"{HOST}:0")
            if security is None
            else self._server.add_secure_port(f"{HOST}:0", security)
        )

    def __enter__(self) -> int:
        self._server.start()
        return self._port

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()
