"""Who may do what, cell by cell, on a real cluster over TLS: everybody, every call, every statement kind.

What is expected is written out here by hand, and taken from nothing that the node reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from tallystick.core.bureau import Bureau
from tallystick.core.checkpoint import parse_checkpoint
from tallystick.core.hashing import leaf_hash
from tallystick.core.kinds import KINDS
from tallystick.core.note import encode_base64, parse_note
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import load_key
from tallystick.sdk.wire_errors import from_detail
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.founding import key_path
from tallystick_node.operator_token import read_token
from tallystick_proto.v1 import gossip_pb2, ledger_pb2, operate_pb2, witness_pb2
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2_grpc import SubmitStub
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.authorities import Shown, shown_by, shown_falsely
from tests.harness.charters import adopt_at_nodes, signed_next
from tests.harness.clusters import checked_cluster
from tests.harness.office import key_of
from tests.harness.principals import (
    NO_CONNECTION,
    NOT_LET_IN,
    WAIT_S,
    YES,
    Signer,
    authority_at,
    channel_to,
    outcome,
    refusal_of,
    registration,
    revocation,
    spare_keys,
)

OWN, PEER, SUSPENDED, CLOSED = "taxation", "market-regulation", "planning", "human-resources"
OBSERVER, AUDITOR = "observer-1", "audit-office"

# `y` is answered, `.` is not let in; `-` is let in, and refused all the same: who is suspended is no witness, and
# health knows no list.
LETTERS = {
    "o": f"{OWN}:clerk",
    "s": f"{OWN}:gateway",
    "r": f"{OWN}:registrar",
    "n": f"{OWN}:node",
    "N": f"{PEER}:node",
    "P": f"{PEER}:clerk",
    "R": f"{PEER}:registrar",
    "W": f"{OBSERVER}:node",
    "w": f"{OBSERVER}:reader",
    "U": f"{SUSPENDED}:node",
    "u": f"{SUSPENDED}:clerk",
    "J": AUDITOR,
    "c": "in the clear",
}
CALLS = """
                                                          o s r n  N P R  W w  U u  J  c
tallystick.v1.Submit/Submit                               y y y .  . . .  . .  . .  .  y
tallystick.v1.Submit/SubmitMany                           y y y .  . . .  . .  . .  .  y
tallystick.v1.Ledger/GetCheckpoint                        y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/WatchCheckpoints                     y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/ProveConsistency                     y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/ProveInclusion                       y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/ProvePresence                        y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/ReadEntries                          y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/Find                                 y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/FindOpenings                         y . . .  . . .  . .  . .  y  y
tallystick.v1.Ledger/Disclose                             y . . .  . y y  . y  . y  y  y
tallystick.v1.Witness/Cosign                              . . . .  y . .  y .  - .  .  y
tallystick.v1.Witness/GetHeld                             y y y y  y y y  y y  y y  y  y
tallystick.v1.Witness/GetCosigned                         y y y y  y y y  y y  y y  y  y
tallystick.v1.Gossip/Swap                                 y y y y  y y y  y y  y y  y  y
tallystick.v1.Gossip/Tell                                 y y y y  y y y  y y  y y  y  y
tallystick.v1.Gossip/GetCharter                           y y y y  y y y  y y  y y  y  y
tallystick.v1.Operate/Backup                              . . . y  . . .  . .  . .  .  y
grpc.health.v1.Health/Check                               y y y y  y y y  y y  y y  y  y
grpc.health.v1.Health/List                                - - - -  - - -  - -  - -  -  -
grpc.health.v1.Health/Watch                               y y y y  y y y  y y  y y  y  y
grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo y y y y  . . .  . .  . .  .  y
"""
# At the observer's own node: of another's ledger, since it has none.
OBSERVED = """
                                                              W w N P J
tallystick.v1.Submit/Submit                                   . . . . .
tallystick.v1.Submit/SubmitMany                               . . . . .
tallystick.v1.Ledger/GetCheckpoint                            y y y y y
tallystick.v1.Ledger/ReadEntries                              y y y y y
tallystick.v1.Ledger/FindOpenings                             . . . . -
tallystick.v1.Witness/Cosign                                  . . - . .
tallystick.v1.Gossip/Swap                                     y y y y y
tallystick.v1.Operate/Backup                                  y . . . .
grpc.health.v1.Health/Check                                   y y y y y
grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo y . . . .
"""
# By the role of who signs: officer, system, registrar, node.
SIGNED = """
                     o s r n
ResourceDeclared     y y . .
ResourceWithdrawn    y y . .
VersionProvided      y y . .
VersionRecalled      y y . .
AccessRequested      y y . .
AccessGranted        y . . .
AccessDenied         y . . .
AccessEnded          y y . .
DataSent             y y . .
DataReceived         y y . .
ExchangeFailed       y y . .
DataUsed             y y . .
ConcernRaised        y y . .
ConcernAnswered      y y . .
NoticeAcknowledged   y y . .
DutyAssigned         y . . .
DutyAnswered         y . . .
DutyReleased         y . . .
SystemRegistered     y y . .
SystemUsed           y y . .
SystemRetired        y y . .
ActorRegistered      . . y .
ActorRevoked         . . y .
CharterAdopted       . . . y
CheckpointWitnessed  . . . y
EquivocationFound    . . . y
RecoveryPerformed    . . . y
RecordsShown         . . . y
DisclosureErased     y . . .
"""
MINUTE_US = 60_000_000
# Who signs for the ledger and may not, whatever the kind.
FALSE_SIGNERS = ("revoked", "stranger", "another bureau's", "in another's name")
SPARE_KEYS = ERASABLE = 32


def read(table: str) -> dict[tuple[str, str], str]:
    """The cells of a table, by row and letter."""
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {(row[0], letter): cell for row in rows for letter, cell in zip(head, row[1:], strict=True)}


def column(table: str, letter: str) -> dict[str, str]:
    return {row: cell for (row, of), cell in read(table).items() if of == letter}


def recorded(channel: grpc.Channel, submission: Submission, wait_witnessed_ms: int = 0) -> ledger_pb2.Receipt:
    """The receipt of a submission that must be recorded."""
    asked = ledger_pb2.SubmitRequest(submission=submission, wait_witnessed_ms=wait_witnessed_ms)
    return SubmitStub(channel).Submit(asked, timeout=2 * WAIT_S)


def submit(channel: grpc.Channel, submission: Submission) -> str:
    """What becomes of one submission."""
    asked = ledger_pb2.SubmitRequest(submission=submission)
    return outcome(channel, "tallystick.v1.Submit/Submit", asked.SerializeToString())


class Place:
    """A node that is called: what is asked of it, and who signs for its ledger."""

    def __init__(self, cluster: LocalCluster, bureau: Bureau) -> None:
        self.cluster, self.bureau = cluster, bureau
        self.home = cluster[bureau.id].home
        sign = partial(Signer, bureau)
        keys = {name: load_key(key_path(self.home, name)) for name in ("clerk", "gateway", "registrar", "ledger")}
        self._erasable: list[Ref] = []
        self.signers = {
            "o": sign(f"{bureau.id}:clerk", keys["clerk"], erasable=self._each_erasable()),
            "s": sign(f"{bureau.id}:gateway", keys["gateway"]),
            "r": sign(f"{bureau.id}:registrar", keys["registrar"], iter(spare_keys(SPARE_KEYS))),
            "n": sign(f"{bureau.id}:node", keys["ledger"]),
        }
        others = load_key(key_path(cluster[PEER].home, "clerk"))
        self.false_signers = {
            "revoked": sign(f"{bureau.id}:leaver", key_of("leaver")),
            "stranger": sign(f"{bureau.id}:stranger", key_of("stranger")),
            "another bureau's": sign(f"{PEER}:clerk", others),
            "in another's name": sign(f"{bureau.id}:registrar", keys["clerk"]),
        }

    def prepare(self, channel: grpc.Channel) -> None:
        """Register keys that will be revoked, and record what will be erased; register the key of `leaver`, and revoke
        it. Its witnesses have copies of that when this returns.
        """
        registrar, record = self.signers["r"], partial(recorded, channel)
        recording = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service="tallystick.v1.Submit"), timeout=WAIT_S
        )
        while next(recording).status != health_pb2.HealthCheckResponse.SERVING:
            pass  # it is started, and asks its witnesses yet
        recording.cancel()
        for name, key in [*(("spare", key) for key in spare_keys(SPARE_KEYS)), ("leaver", key_of("leaver"))]:
            record(registrar.submission(registrar.say("register_actor", registration(self.bureau, name, key))))
        for _ in range(ERASABLE):
            receipt = record(self.signers["o"].lookup())
            self._erasable.append(Ref(origin=self.bureau.origin, index=receipt.first, leaf=leaf_hash(receipt.entry)))
        last = record(registrar.submission(self.revoking(registrar, "leaver")), wait_witnessed_ms=int(WAIT_S * 1_000))
        assert last.standing == ledger_pb2.Receipt.WITNESSED

    def _each_erasable(self) -> Iterator[Ref]:
        while True:
            yield self._erasable.pop()

    def revoking(self, registrar: Signer, name: str) -> bytes:
        """What revokes the key that goes by an actor's name."""
        return registrar.say("revoke_actor", revocation(self.bureau, name, key_of(name)))

    def questions(self, who: str, at: str = "") -> dict[str, bytes]:
        """A well-formed question of every call, as that caller would ask it, of this node or of the one `at` a bureau.
        What is submitted the clerk signed.
        """
        origin = self.bureau.origin
        checkpoint = ledger_pb2.CheckpointRequest(origin=origin)
        inclusion = ledger_pb2.InclusionRequest(origin=origin, index=0, size=3)
        submit = ledger_pb2.SubmitRequest(submission=next(self.signers["o"].of_every_kind()))
        party = who.partition(":")[0] if ":" in who else PEER
        settings = self.cluster[at or self.bureau.id].settings
        token = read_token(settings.operator_token)
        digest = bytes.fromhex(settings.config.charter_digest.removeprefix("blake3:"))
        health = health_pb2.HealthCheckRequest()
        asked: dict[str, Any] = {
            "tallystick.v1.Submit/Submit": submit,
            "tallystick.v1.Submit/SubmitMany": submit,
            "tallystick.v1.Ledger/GetCheckpoint": checkpoint,
            "tallystick.v1.Ledger/WatchCheckpoints": checkpoint,
            "tallystick.v1.Ledger/ProveConsistency": ledger_pb2.ConsistencyRequest(
                origin=origin, old_size=1, new_size=3
            ),
            "tallystick.v1.Ledger/ProveInclusion": inclusion,
            "tallystick.v1.Ledger/ProvePresence": inclusion,
            "tallystick.v1.Ledger/ReadEntries": ledger_pb2.ReadRequest(origin=origin, end=3, size=3),
            "tallystick.v1.Ledger/Find": ledger_pb2.FindRequest(origin=origin, size=3),
            "tallystick.v1.Ledger/FindOpenings": ledger_pb2.OpeningsRequest(
                origin=origin, field="data_used.subject", value=b"a citizen", end=3
            ),
            "tallystick.v1.Ledger/Disclose": ledger_pb2.DiscloseRequest(origin=origin, index=2),
            "tallystick.v1.Witness/Cosign": witness_pb2.Cosigned(origin=origin, witness=party),
            "tallystick.v1.Witness/GetHeld": witness_pb2.HeldRequest(
                origin=self.cluster[PEER if self.bureau.id != PEER else OWN].bureau.origin
            ),
            "tallystick.v1.Witness/GetCosigned": witness_pb2.CosignedRequest(origin=origin),
            "tallystick.v1.Gossip/Swap": gossip_pb2.SwapRequest(),
            "tallystick.v1.Gossip/Tell": gossip_pb2.TellRequest(),
            "tallystick.v1.Gossip/GetCharter": gossip_pb2.CharterRequest(digest=digest),
            "tallystick.v1.Operate/Backup": operate_pb2.BackupRequest(token=token),
            "grpc.health.v1.Health/Check": health,
            "grpc.health.v1.Health/List": health_pb2.HealthListRequest(),
            "grpc.health.v1.Health/Watch": health,
            "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": reflection_pb2.ServerReflectionRequest(
                list_services=""
            ),
        }
        return {rpc: question.SerializeToString() for rpc, question in asked.items()}


class District(Place):
    """The own bureau's node among others', and who may show it what."""

    def authority(self, party: str) -> CertificateAuthority:
        return authority_at(self.cluster.folder if party == AUDITOR else self.cluster[party].home, party)

    def channel(self, holder: str, at: str = OWN) -> grpc.Channel:
        """A connection of whoever its party's authority vouches for."""
        return channel_to(self.cluster[at].bureau, shown_by(self.authority(holder.partition(":")[0]), holder, now_us()))

    def nobody(self) -> dict[str, tuple[grpc.Channel, str]]:
        """Connections of those who are nobody, and what becomes of their calls."""
        at_us = now_us()

        def truly(holder: str) -> Shown:
            return shown_by(self.authority(holder.partition(":")[0]), holder, at_us)

        def falsely(holder: str) -> Shown:
            return shown_falsely(self.authority(PEER), f"tallystick:{holder}", at_us=at_us)

        let_in_by_tls = {
            "revoked": truly(f"{OWN}:leaver"),
            "never registered": truly(f"{OWN}:stranger"),
            "a closed bureau's actor": truly(f"{CLOSED}:clerk"),
            "a closed bureau's node": truly(f"{CLOSED}:node"),
            "a registrar by another's authority": falsely(f"{OWN}:registrar"),
            "a clerk by another's authority": falsely(f"{OWN}:clerk"),
            "a node by another's authority": falsely(f"{OWN}:node"),
            "an auditor by a bureau's authority": falsely(AUDITOR),
            "a bureau by itself": falsely(PEER),
        }
        made_up = CertificateAuthority.make(PEER, at_us)
        kept_out = {
            "no certificate": None,
            "an authority of its own making": shown_by(made_up, f"{PEER}:clerk", at_us),
        }
        return {
            **{name: (channel_to(self.bureau, shown), NOT_LET_IN) for name, shown in let_in_by_tls.items()},
            **{name: (channel_to(self.bureau, shown), NO_CONNECTION) for name, shown in kept_out.items()},
        }


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[District]:
    """Four bureaus, of which one is suspended and one closed, an observer and an auditor."""
    with checked_cluster(tmp_path_factory.mktemp("district"), 4, nursery, observers=1) as cluster:
        closed = District(cluster, cluster[CLOSED].bureau)
        with closed.channel(f"{CLOSED}:clerk", CLOSED) as channel:
            call: Any = channel.unary_unary("/tallystick.v1.Ledger/GetCheckpoint")
            asked = ledger_pb2.CheckpointRequest(origin=closed.bureau.origin).SerializeToString()
            answer = ledger_pb2.CheckpointAnswer.FromString(call(asked, timeout=WAIT_S))
        ends = parse_checkpoint(parse_note(answer.checkpoint).text)
        floor = f'floor = {{ size = {ends.size}, root = "{encode_base64(ends.root)}" }}'
        edits = f"""
            [[bureau]]
            id = "{SUSPENDED}"
            state = "suspended"
            [[bureau]]
            id = "{CLOSED}"
            state = "closed"
            {floor}
        """
        adopt_at_nodes((member for member in cluster if member.id != CLOSED), signed_next(cluster, edits))
        cluster[CLOSED].stop()
        made = District(cluster, cluster[OWN].bureau)
        with made.channel(f"{OWN}:registrar") as channel:
            made.prepare(channel)
        yield made


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[Place]:
    """Three bureaus whose nodes ask nobody for a certificate."""
    with LocalCluster.up(tmp_path_factory.mktemp("clear"), 3, nursery=nursery, in_the_clear=True) as cluster:
        made = Place(cluster, cluster[OWN].bureau)
        with channel_to(made.bureau, None) as channel:
            made.prepare(channel)
        yield made


@pytest.fixture(scope="module")
def called(request: pytest.FixtureRequest) -> Iterator[tuple[str, Place, grpc.Channel]]:
    """Somebody's letter, the node that is called, and a connection to it."""
    letter = request.param
    place = request.getfixturevalue("clear" if letter == "c" else "district")
    channel = place.channel(LETTERS[letter]) if isinstance(place, District) else channel_to(place.bureau, None)
    with channel:
        yield letter, place, channel


everybody = pytest.mark.parametrize("called", LETTERS, indirect=True)
recorders = pytest.mark.parametrize("called", "osrc", indirect=True)
others = pytest.mark.parametrize("called", sorted(LETTERS.keys() - set("osrc")), indirect=True)
Called = tuple[str, Place, grpc.Channel]


@everybody
def test_every_call(called: Called) -> None:
    """A call is answered, or refused, as the table says; all refusals of it are in the same words."""
    letter, place, channel = called
    cells = {YES: "y", NOT_LET_IN: ".", "NotAllowed": "-", "NotFound": "-"}
    ends = {rpc: outcome(channel, rpc, asked) for rpc, asked in place.questions(LETTERS[letter]).items()}
    assert {rpc: cells.get(end, end) for rpc, end in ends.items()} == column(CALLS, letter)


@pytest.mark.parametrize("letter", "WwNPJ")
def test_an_observers_node(district: District, letter: str) -> None:
    """It records nothing for anybody, and takes its own readers for anybody's."""
    holder, cells = LETTERS[letter], {YES: "y", NOT_LET_IN: ".", "NotFound": "-"}
    expected, asked = column(OBSERVED, letter), district.questions(holder, OBSERVER)
    with district.channel(holder, OBSERVER) as channel:
        ends = {rpc: outcome(channel, rpc, asked[rpc]) for rpc in expected}
    assert {rpc: cells.get(end, end) for rpc, end in ends.items()} == expected


def test_the_tables_name_every_call_and_kind() -> None:
    """Of the node's, and of the statements there are."""
    assert {row for row, _ in read(CALLS)} >= {
        f"{service.full_name}/{method.name}"
        for file in (ledger_pb2, witness_pb2, gossip_pb2, operate_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert [row for row, letter in read(SIGNED) if letter == "o"] == [kind.name for kind in KINDS.values()]


def test_nobody_gets_anything(district: District) -> None:
    """Whoever is nobody learns the same from every call: that it is not for him, or not even that."""
    for name, (channel, expected) in district.nobody().items():
        with channel:
            ends = {outcome(channel, rpc, asked) for rpc, asked in district.questions(f"{OWN}:leaver").items()}
        assert ends == {expected}, name


def submitted_one_by_one(channel: grpc.Channel, signer: Signer) -> dict[str, str]:
    """What becomes of a submission of each kind, by the kind's name."""
    return {
        kind.name: submit(channel, submission)
        for kind, submission in zip(KINDS.values(), signer.of_every_kind(), strict=True)
    }


def submitted_together(channel: grpc.Channel, signer: Signer) -> dict[str, str]:
    """The same over one stream."""
    asked = [ledger_pb2.SubmitRequest(submission=each).SerializeToString() for each in signer.of_every_kind()]
    call: Any = channel.stream_stream("/tallystick.v1.Submit/SubmitMany")
    names = [kind.name for kind in KINDS.values()]
    try:
        answers = [ledger_pb2.SubmitAnswer.FromString(each) for each in call(iter(asked), timeout=WAIT_S)]
    except grpc.RpcError as error:
        return dict.fromkeys(names, refusal_of(error))
    ends = [
        YES if each.WhichOneof("answer") == "receipt" else type(from_detail(each.refusal)).__name__ for each in answers
    ]
    return dict(zip(names, ends, strict=True))


SUBMITTED = {"one by one": submitted_one_by_one, "together": submitted_together}
each_way = pytest.mark.parametrize("way", SUBMITTED)


@each_way
@recorders
def test_every_kind_by_whoever_may_sign_it(called: Called, way: str) -> None:
    """Whoever carries it there, a kind is recorded if the role of the key that signed it may say it."""
    _, place, channel = called
    cells = {YES: "y", "NotAllowed": "."}
    for role, signer in place.signers.items():
        ends = SUBMITTED[way](channel, signer)
        assert {kind: cells.get(end, end) for kind, end in ends.items()} == column(SIGNED, role), role


@each_way
@recorders
def test_no_kind_by_whom_the_ledger_does_not_know(called: Called, way: str) -> None:
    """Nor by a key that it revoked, nor by one in another's name."""
    _, place, channel = called
    for name in FALSE_SIGNERS:
        assert set(SUBMITTED[way](channel, place.false_signers[name]).values()) == {"NotAuthentic"}, name


@each_way
@others
def test_nothing_is_recorded_for_others(called: Called, way: str) -> None:
    """Not even what the bureau's own actors signed: a submission is no pass, wherever it was come by."""
    _, place, channel = called
    for role, signer in {**place.signers, **place.false_signers}.items():
        assert set(SUBMITTED[way](channel, signer).values()) == {NOT_LET_IN}, role


def test_who_is_revoked_is_cut_off(district: District) -> None:
    """On streams that were open before, too: nothing more is shown on any connection."""
    registrar, rpc = district.signers["r"], "tallystick.v1.Ledger/WatchCheckpoints"
    asked = district.questions(f"{OWN}:temporary")[rpc]
    with district.channel(f"{OWN}:registrar") as desk, district.channel(f"{OWN}:temporary") as channel:
        assert outcome(channel, rpc, asked) == NOT_LET_IN
        registered = registration(district.bureau, "temporary", key_of("temporary"), Role.SYSTEM)
        assert submit(desk, registrar.submission(registrar.say("register_actor", registered))) == YES
        stream: Any = channel.unary_stream(f"/{rpc}")
        watching = stream(asked, timeout=WAIT_S)
        next(watching)
        assert submit(desk, registrar.submission(district.revoking(registrar, "temporary"))) == YES
        with pytest.raises(grpc.RpcError) as ended:
            list(watching)  # what was signed before may still come
        assert refusal_of(ended.value) == NOT_LET_IN
        assert outcome(channel, rpc, asked) == NOT_LET_IN
    assert f"{OWN}:temporary is not registered, or revoked" in district.cluster[OWN].log_text


def test_a_stolen_certificate_ends_with_the_stolen_key(district: District) -> None:
    """Though its actor has a new key by then; the certificate that he is issued anew is let in. The one begins ninety
    minutes ago, the other an hour: each begins an hour before it is made.
    """
    registrar, rpc, at_us = district.signers["r"], "tallystick.v1.Ledger/GetCheckpoint", now_us()
    asked = district.questions(f"{OWN}:robbed")[rpc]
    stolen = channel_to(district.bureau, shown_by(district.authority(OWN), f"{OWN}:robbed", at_us - 30 * MINUTE_US))
    with district.channel(f"{OWN}:registrar") as desk, stolen, district.channel(f"{OWN}:robbed") as renewed:

        def said(kind: str, values: dict[str, object]) -> str:
            return submit(desk, registrar.submission(registrar.say(kind, values)))

        assert said("register_actor", registration(district.bureau, "robbed", key_of("robbed"))) == YES
        assert [outcome(each, rpc, asked) for each in (stolen, renewed)] == [YES, YES]
        theft = revocation(district.bureau, "robbed", key_of("robbed")) | {"compromised_since": at_us - 75 * MINUTE_US}
        assert said("revoke_actor", theft) == YES
        assert [outcome(each, rpc, asked) for each in (stolen, renewed)] == [NOT_LET_IN, NOT_LET_IN]
        assert said("register_actor", registration(district.bureau, "robbed", key_of("robbed no more"))) == YES
        assert [outcome(each, rpc, asked) for each in (stolen, renewed)] == [NOT_LET_IN, YES]
