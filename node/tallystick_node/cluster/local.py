"""A cluster of real node processes on loopback, from a folder: the demo's, the tests', and `tallyd cluster`'s.

    with LocalCluster.up(folder, bureaus=3) as cluster:
        cluster["market-regulation"].sdk.declare("SCJG-0012", sharing="unconditional")
        cluster.auditor.show("market-regulation#3")

The nodes stop at the end of the block, and with this process however it ends; after `release` they live on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tallystick.core.charter import Charter
from tallystick.core.errors import (
    NotFound,
    NotVouchedFor,
    Starting,
    StorageFailed,
    Unreachable,
    Usage,
    VerificationFailed,
)
from tallystick.sdk.clock import now_us
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.observing import holdings
from tallystick.sdk.profile import Profile
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.wire import Wire
from tallystick.sdk.witnessing import not_recording
from tallystick_node.certifying import Certifying
from tallystick_node.cluster.births import STOP_MAX_S, Births
from tallystick_node.cluster.layout import auditor_profile, is_cluster, make_cluster, open_profile
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.cluster.ports import held_ports
from tallystick_node.cluster.roster import observers as observing
from tallystick_node.cluster.roster import roster
from tallystick_node.config import Write
from tallystick_node.home import SETTINGS
from tallystick_node.signed_size import SignedSize

_STATUS_DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a member stands: `starting` waits for its witnesses before it records, `reading` records no more for good,
    `silent` does not answer, `not believed` gives an answer that does not verify, `unchecked` one that another
    version of the charter than the auditor's profile has may account for. `certificate` says that what its node shows
    ends soon, or is not accepted; empty otherwise. Who is `elsewhere` has no folder in the cluster's, and is not asked.
    """

    bureau: str
    pid: int | None
    state: Literal["serving", "starting", "reading", "silent", "unchecked", "not believed", "stopped", "elsewhere"]
    endpoint: str
    entries: int | None
    why: str = ""
    certificate: str = ""


class LocalCluster:
    """The members of a cluster's folder, by bureau.

    `elsewhere` are the bureaus that its charter names and that have no folder in it, as one that a later version of the
    charter brought: their nodes are others' to run.
    """

    def __init__(self, folder: Path, births: Births) -> None:
        self.folder = folder
        self.auditor_profile = auditor_profile(folder)
        self._profile: Profile = open_profile(folder)
        self._births = births
        here = [bureau for bureau in self.charter.bureau if (folder / bureau.id / SETTINGS).exists()]
        self.members = {bureau.id: Member(folder, bureau, self.charter, births) for bureau in here}
        self.elsewhere = [bureau for bureau in self.charter.bureau if bureau not in here]
        self._auditor: tuple[int, Ledgers] | None = None
        self._old_auditors: list[Ledgers] = []

    @classmethod
    def up(
        cls,
        folder: Path,
        bureaus: int | None = None,
        *,
        observers: int | None = None,
        in_the_clear: bool = False,
        write: Write | None = None,
        nursery: Nursery | None = None,
    ) -> Self:
        """The cluster of a folder with all its nodes serving; if there is none it is made, with so many bureaus (3) and
        observers (0), over TLS if not told otherwise, with `write` in each node's settings.

        Raises Unreachable with the log's end of a node that does not start (then none is left that was started here),
        ConfigInvalid where the folder cannot be used, Usage where there is a cluster of another size.
        """
        births = Births(nursery)
        try:
            births.warm()
            if is_cluster(folder):
                cluster = cls(folder, births)
                watching = sum(member.bureau.is_observer for member in cluster)
                for what, wished, there in (
                    ("bureaus", bureaus, len(cluster.members) - watching),
                    ("observers", observers, watching),
                ):
                    if wished not in (None, there):
                        raise Usage(f"{wished} {what}", where=str(folder), expected=f"the {there} it has")
                cluster.start()
                return cluster
            places = roster(3 if bureaus is None else bureaus)
            places += observing(observers or 0, after=len(places))
            with held_ports(len(places)) as ports:
                make_cluster(folder, places, ports, write or Write(), in_the_clear=in_the_clear)
                cluster = cls(folder, births)
                cluster.start()
            return cluster
        except BaseException:
            births.close()
            raise

    @property
    def charter(self) -> Charter:
        return self._profile.charter

    def __getitem__(self, bureau: str) -> Member:
        """The member of a bureau. Raises NotFound."""
        if self.charter.by_id(bureau) in self.elsewhere:
            raise NotFound(f"no folder of {bureau}", where=str(self.folder), expected="a node that runs from here")
        return self.members[bureau]

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members.values())

    def start(self) -> None:
        """Start every node that is stopped, side by side."""
        stopped = [member for member in self if member.running is None]
        beside = [member.id for member in stopped]
        recording = [member.home for member in stopped if member.will_record(beside)]
        self._births.start([member.home for member in stopped], recording)
        for member in stopped:
            member.begin_life()

    def stop(self) -> None:
        """Stop every node, side by side; returns when all are gone."""
        for member in self:
            member.ask_to_stop()
        deadline = time.monotonic() + STOP_MAX_S
        for member in self:
            running = member.running
            if running is not None and not running.wait(max(0.0, deadline - time.monotonic())):
                running.kill()
            self._births.forget(member.home)

    def release(self) -> None:
        """Let the nodes live on when this process ends."""
        self._births.release()

    @property
    def auditor(self) -> Ledgers:
        """Every ledger as the auditor reads it."""
        lives = sum(member.lives for member in self)
        if self._auditor is None or self._auditor[0] != lives:
            if self._auditor is not None:
                self._old_auditors.append(self._auditor[1])
            self._auditor = lives, Ledgers.open(self._profile)
        return self._auditor[1]

    def status(self) -> list[Standing]:
        """How every member stands; what a node says was verified as the auditor's client would."""
        now = now_us()
        here = [
            replace(_standing(member, self._profile), certificate=Certifying(member.home).warning(now))
            for member in self
        ]
        return here + [Standing(each.id, None, "elsewhere", each.endpoint, None) for each in self.elsewhere]

    def close_clients(self) -> None:
        """Close every connection that was made through this object."""
        for auditor in self._old_auditors:
            auditor.close()
        if self._auditor is not None:
            self._auditor[1].close()
        self._auditor = None
        self._old_auditors.clear()
        for member in self:
            member.close_clients()

    def close(self) -> None:
        """Stop every node and let go of everything."""
        try:
            self.close_clients()
            self.stop()
        finally:
            self._births.close()

    def leave(self) -> None:
        """Let the nodes live on, and let go of everything else."""
        self.release()
        self.close_clients()
        self._births.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _standing(member: Member, profile: Profile) -> Standing:
    bureau, running = member.bureau, member.running
    if running is None:
        return Standing(bureau.id, None, "stopped", bureau.endpoint, _signed_entries(member))
    if bureau.is_observer:
        return _observing(member, running.pid, profile)
    reader = LedgerReader(Wire(bureau, _STATUS_DEADLINE_S, credentials=profile.credentials), profile.trust_store)
    try:
        size = reader.refresh().size
        if bureau.state == "closed":  # it waits for good for witnesses who let it in no more
            return Standing(
                bureau.id, running.pid, "reading", bureau.endpoint, size, f"{bureau.id}: {bureau.state_in('en')}"
            )
        why = not_recording(reader.wire.cosigned())
        state: Literal["serving", "starting", "reading"] = (
            "serving" if why is None else "starting" if isinstance(why, Starting) else "reading"
        )
        return Standing(bureau.id, running.pid, state, bureau.endpoint, size, "" if why is None else str(why))
    except Starting as error:
        return Standing(bureau.id, running.pid, "starting", bureau.endpoint, None, str(error))
    except (Unreachable, StorageFailed, NotFound) as error:
        return Standing(bureau.id, running.pid, "silent", bureau.endpoint, None, str(error))
    except NotVouchedFor as error:
        return Standing(bureau.id, running.pid, "unchecked", bureau.endpoint, None, str(error))
    except VerificationFailed as error:
        return Standing(bureau.id, running.pid, "not believed", bureau.endpoint, None, str(error))
    finally:
        reader.close()


def _observing(member: Member, pid: int, profile: Profile) -> Standing:
    """How an observer stands: its entries are those of others, as far as it has cosigned them."""
    bureau = member.bureau
    try:
        held = holdings(bureau, profile.charter, _STATUS_DEADLINE_S, profile.credentials)
    except (Unreachable, StorageFailed) as error:
        return Standing(bureau.id, pid, "silent", bureau.endpoint, None, str(error))
    except NotVouchedFor as error:
        return Standing(bureau.id, pid, "unchecked", bureau.endpoint, None, str(error))
    except VerificationFailed as error:
        return Standing(bureau.id, pid, "not believed", bureau.endpoint, None, str(error))
    return Standing(bureau.id, pid, "serving", bureau.endpoint, sum(each.size for each in held))


def _signed_entries(member: Member) -> int | None:
    """How many entries a stopped node last signed for, where its note of it reads."""
    try:
        signed = SignedSize.open(member.settings.signed_size, member.bureau.origin)
    except (StorageFailed, Usage):
        return None
    signed.close()
    return signed.value[0]
