"""Places where everybody calls: nodes of a real cluster, who calls them, and what they are asked.

What a test expects of that stands in the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from tallystick.core.bureau import Bureau
from tallystick.core.checkpoint import parse_checkpoint
from tallystick.core.hashing import leaf_hash
from tallystick.core.note import encode_base64, parse_note
from tallystick.sdk.certificates import CertificateAuthority
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import load_key
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.founding import key_path
from tallystick_node.operator_token import read_token
from tallystick_proto.v1 import gossip_pb2, ledger_pb2, operate_pb2, witness_pb2
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2_grpc import SubmitStub
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.authorities import Shown, shown_by, shown_falsely
from tests.harness.charters import adopt_at_nodes, signed_next
from tests.harness.clusters import checked_cluster
from tests.harness.office import key_of
from tests.harness.principals import (
    NO_CONNECTION,
    NOT_LET_IN,
    WAIT_S,
    Signer,
    authority_at,
    channel_to,
    outcome,
    registration,
    revocation,
    spare_keys,
)

OWN, PEER, SUSPENDED, CLOSED = "taxation", "market-regulation", "planning", "human-resources"
OBSERVER, AUDITOR = "observer-1", "audit-office"

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
SPARE_KEYS = ERASABLE = 32


def read(table: str) -> dict[tuple[str, str], str]:
    """The cells of a table, by row and letter."""
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {(row[0], letter): cell for row in rows for letter, cell in zip(head, row[1:], strict=True)}


def column(table: str, letter: str) -> dict[str, str]:
    """The cells under one letter, by row."""
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

    def channel(self, holder: str, at: str = OWN) -> grpc.Channel:
        """A connection of whoever it is, which does not say."""
        return channel_to(self.cluster[at].bureau, None)

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


@contextmanager
def district_in(folder: Path, nursery: Nursery) -> Iterator[District]:
    """Four bureaus, of which one is suspended and one closed, an observer and an auditor."""
    with checked_cluster(folder, 4, nursery, observers=1) as cluster:
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


@contextmanager
def clear_in(folder: Path, nursery: Nursery) -> Iterator[Place]:
    """Three bureaus whose nodes ask nobody for a certificate."""
    with LocalCluster.up(folder, 3, nursery=nursery, in_the_clear=True) as cluster:
        made = Place(cluster, cluster[OWN].bureau)
        with made.channel("in the clear") as channel:
            made.prepare(channel)
        yield made
