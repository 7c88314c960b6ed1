"""Lawful traffic between the bureaus of a local cluster, for measuring what reads it: requests, grants, both halves of
exchanges, lookups for cases. Every entry is recorded through the SDK and stands for something a bureau would say."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from tallystick.sdk.recorder import Pending
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_proto.v1.statement_pb2 import Ref

LOOKUPS_A_PAIR = 6  # to each exchange, so many uses of what it brought
RESOURCES = 4
VERSIONS = 10
NEEDLE = "NEEDLE-0001"
"""A resource of the first bureau with one request, one grant and one exchange, however much there is beside."""


def code(bureau: str, number: int) -> str:
    """A resource's code: every bureau has its own."""
    return f"{bureau.upper()}-{number:04d}"


def digest(version: str) -> str:
    """The digest of a version that nobody needs to see."""
    return f"blake3:{sha256(version.encode()).hexdigest()}"


def _exchange_id(sender: Member, number: int) -> bytes:
    return sha256(f"{sender.bureau.id}/{number}".encode()).digest()[:16]


def _case_of(exchange: bytes) -> bytes:
    return sha256(exchange).digest()[:16]


class Traffic:
    """Records into a cluster of an even number of bureaus; bureau 2n sends to bureau 2n + 1."""

    def __init__(self, cluster: LocalCluster) -> None:
        self._members = list(cluster)
        self._grants: dict[str, Ref] = {}
        self._exchanges = 0

    def begin(self) -> None:
        """What stands before anything moves: resources, versions, requests, grants, and the needle."""
        for sender, receiver in self._pairs():
            for number in range(RESOURCES):
                self._share(sender, receiver, code(sender.bureau.id, number), VERSIONS)
        sender, receiver = self._pairs()[0]
        self._share(sender, receiver, NEEDLE, 1)
        self._exchange(sender, receiver, [f"{NEEDLE}@0"])
        duty = sender.sdk.assign_duty(sender.bureau.id, duty="steward", resource=NEEDLE)
        sender.sdk.answer_duty(duty, answer="accepted", resource=NEEDLE)

    @property
    def needle_exchange(self) -> UUID:
        """The one exchange of the needle."""
        return UUID(bytes=_exchange_id(self._pairs()[0][0], 0))

    @property
    def needle_case(self) -> UUID:
        """The case the needle was looked up for."""
        return UUID(bytes=_case_of(self.needle_exchange.bytes))

    @property
    def needle_officer(self) -> str:
        """Who looked the needle up, and little else."""
        return f"{self._pairs()[0][1].bureau.id}:o-0000"

    def record(self, entries: int) -> None:
        """About so many more entries, spread over all pairs."""
        pairs = self._pairs()
        exchanges = max(1, entries // len(pairs) // (2 + LOOKUPS_A_PAIR))
        for sender, receiver in pairs:
            codes = [code(sender.bureau.id, number) for number in range(RESOURCES)]
            versions = [f"{codes[number % RESOURCES]}@{number % VERSIONS}" for number in range(exchanges)]
            self._exchange(sender, receiver, versions)

    def _pairs(self) -> list[tuple[Member, Member]]:
        return list(zip(self._members[::2], self._members[1::2], strict=True))

    def _share(self, sender: Member, receiver: Member, resource: str, versions: int) -> None:
        sender.sdk.declare(
            resource, scheme="bench", title=resource, sharing="conditional", condition="joint supervision"
        )
        request = receiver.sdk.request(resource, provider=sender.bureau.id, purpose="joint-supervision")
        self._grants[resource] = sender.sdk.grant(request, to=receiver.bureau.id, resource=resource).ref
        for number in range(versions):
            version = f"{resource}@{number}"
            sender.sdk.provide_version(version, digest=digest(version), size=1_000)

    def _exchange(self, sender: Member, receiver: Member, versions: Sequence[str]) -> None:
        """Both halves of so many exchanges, the second citing the first, and the lookups they serve."""
        first = self._exchanges
        self._exchanges += len(versions)
        ids = [_exchange_id(sender, first + number) for number in range(len(versions))]
        sent: list[Pending] = []
        with sender.sdk.recorder(spool=False) as record:
            for id_, version in zip(ids, versions, strict=True):
                grant = self._grants[version.partition("@")[0]]
                said = {"version": version, "grant": grant, "digest": digest(version), "size": 1_000}
                sent.append(record.record("send", exchange=id_, to=receiver.bureau.id, **said))
        indexes = [pending.result().index for pending in sent]
        entries = sender.sdk.entries(min(indexes), max(indexes) + 1, max(indexes) + 1)
        refs = {shown.entry.index: shown.ref for shown in entries}
        with receiver.sdk.recorder(spool=False) as record:
            for number, (id_, version) in enumerate(zip(ids, versions, strict=True)):
                grant = self._grants[version.partition("@")[0]]
                said = {"version": version, "grant": grant, "digest": digest(version), "size": 1_000}
                record.record("receive", exchange=id_, sender=sender.bureau.id, sent=refs[indexes[number]], **said)
                for lookup in range(LOOKUPS_A_PAIR):
                    record.record(
                        "use",
                        version=version,
                        purpose="joint-supervision",
                        case=_case_of(id_),
                        officer=f"{receiver.bureau.id}:o-{(first + number) % 4000:04x}",
                        rows=1 + lookup,
                    )
