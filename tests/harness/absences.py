"""A cluster whose nodes reach each other through proxies, and the ways in which one of them can be away.

Every endpoint of the charter is a proxy's, and leads to where the node listens. What a node that is cut off opens to
others, and others to it, is cut; who calls is told by whose process holds the calling socket. Its own clients, and
auditors, reach it all the same: the line between the bureaus is what is down.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tallystick_node.cluster.layout import make_cluster
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.cluster.ports import held_ports
from tallystick_node.cluster.roster import roster
from tallystick_node.config import Gossip, Log, Settings
from tallystick_node.home import SETTINGS
from tests.harness.callers import holds
from tests.harness.clusters import SILENT, checked_cluster
from tests.harness.proxy import HOST, Proxy

GOSSIP_S = 0.3


@dataclass(frozen=True, slots=True)
class Wired:
    """A cluster and, by bureau, the proxy before its node."""

    cluster: LocalCluster
    proxies: dict[str, Proxy]

    def __getitem__(self, bureau: str) -> Member:
        return self.cluster[bureau]

    def refuse(self, member: Member, others: list[Member]) -> None:
        """From now on a member's node is not reached from those of others."""
        proxy = self.proxies[member.id]
        pids = [other.running.pid for other in others if other.running is not None]
        proxy.refuse(lambda caller: holds(pids, caller, proxy.port))

    def admit(self, member: Member, others: list[Member]) -> None:
        """From now on a member's node is reached from those of others alone, whenever they start, and from here."""
        proxy = self.proxies[member.id]

        def refused(caller: int) -> bool:
            running = [each.pid for other in others if (each := other.running) is not None]
            return not holds([os.getpid(), *running], caller, proxy.port)

        proxy.refuse(refused)

    def but(self, *away: str) -> list[Member]:
        """The members that are not away."""
        return [member for member in self.cluster if member.id not in away]


@contextmanager
def wired_cluster(folder: Path, bureaus: int, nursery: Nursery) -> Iterator[Wired]:
    """A cluster whose nodes log everything and swap often, checked and gone afterwards."""
    places = roster(bureaus)
    with held_ports(2 * bureaus) as ports, ExitStack() as lines:
        make_cluster(folder, places, ports[:bureaus], SILENT)
        proxies = {}
        for place, port, there in zip(places, ports[:bureaus], ports[bureaus:], strict=True):
            settings = Settings.load(folder / place.id / SETTINGS)
            listen, config = f"{HOST}:{there}", settings.config
            config = msgspec.structs.replace(config, listen=listen, log=Log(level="debug"), gossip=Gossip(GOSSIP_S))
            Settings(settings.path, config).save()
            proxies[place.id] = lines.enter_context(Proxy(there, port))
        with checked_cluster(folder, bureaus, nursery) as cluster:
            yield Wired(cluster, proxies)


Absence = Callable[[Wired, Member], AbstractContextManager[None]]


@contextmanager
def killed(wired: Wired, member: Member) -> Iterator[None]:
    """Its process ends where it is, and another is started afterwards."""
    member.kill()
    yield
    member.start()


@contextmanager
def paused(wired: Wired, member: Member) -> Iterator[None]:
    """Its process stands still, with all its connections open, and wakes up afterwards."""
    running = member.running
    assert running is not None
    running.send(signal.SIGSTOP)
    try:
        yield
    finally:
        running.send(signal.SIGCONT)


@contextmanager
def cut_off(wired: Wired, member: Member) -> Iterator[None]:
    """No other node reaches it, nor it another."""
    others = wired.but(member.id)
    wired.refuse(member, others)
    for other in others:
        wired.refuse(other, [member])
    try:
        yield
    finally:
        for proxy in wired.proxies.values():
            proxy.refuse(lambda caller: False)


@contextmanager
def parted(wired: Wired, *groups: list[Member]) -> Iterator[None]:
    """Each node reaches those of its own group and no other, also one that is started meanwhile."""
    for group in groups:
        for member in group:
            wired.admit(member, group)
    try:
        yield
    finally:
        for proxy in wired.proxies.values():
            proxy.refuse(lambda caller: False)


ABSENCES: tuple[Absence, ...] = (killed, paused, cut_off)
