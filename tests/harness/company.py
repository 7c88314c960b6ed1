"""Several bureaus under one charter, whose nodes run in this process and swap when a test says so.

Any of them may be two: `fork` starts a second node of a bureau, with its keys, on a copy of its disk, and from then on
those it is meant for reach that one in the first one's place.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tallystick.core.charter import Bureau, Charter
from tallystick.core.charter_chain import Version
from tallystick.core.charter_note import open_charter
from tallystick.core.errors import TallystickError
from tallystick.sdk.clock import now_us
from tallystick.sdk.heard_versions import HeardVersions
from tallystick.sdk.profile import Profile
from tallystick_node.cluster.roster import credit_code
from tallystick_node.first_charter import sign_first_charter
from tallystick_node.observer import Observer, Who
from tallystick_node.peers import Peer
from tallystick_node.store.store import Store
from tests.harness import loop
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import NOW_US, Office, key_of
from tests.harness.rosters import observing
from tests.harness.versions import CLIENTS, HOLDER

ROUNDS_MAX = 100


class Company:
    """Bureaus by id, each witnessed by all others, or by those `witnesses` names. Use as a context.

    `observers` are in the charter; their nodes are made by `observer`, on a database that is the caller's.
    """

    def __init__(
        self,
        folder: Path,
        *bureaus: str,
        witnesses: Mapping[str, Sequence[str]] | None = None,
        observers: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self._bureaus = bureaus
        self.offices = {bureau: Office(bureau) for bureau in (*bureaus, *observers)}
        for number, (bureau, office) in enumerate(self.offices.items(), 1):
            office.bureau = msgspec.structs.replace(
                office.bureau,
                credit_code=credit_code(number),
                witnesses=tuple((witnesses or {}).get(bureau, ())),
            )
        for each in observers:
            self.offices[each].bureau = observing(self.offices[each].bureau)
        for office in self.offices.values():
            office.others = tuple(other.bureau for other in self.offices.values() if other is not office)
        self.nodes: dict[str, LyingNode] = {}
        self._instead: dict[tuple[str, str], LyingNode] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            for bureau in self._bureaus:
                self.nodes[bureau] = opening.enter_context(self._node(self._home(bureau), bureau))
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        for node in self.nodes.values() if kind is None else ():
            report = node.home.check()
            assert report.clean, "\n".join(map(str, report.differences))

    def __getitem__(self, bureau: str) -> LyingNode:
        return self.nodes[bureau]

    @property
    def charter(self) -> Charter:
        return open_charter(*next(iter(self.offices.values())).charter())

    def bureau(self, bureau: str) -> Bureau:
        return self.charter.by_id(bureau)

    def observer(self, bureau: str, store: Store) -> Observer:
        """An observer's node, which swaps and follows when a test says so."""
        office = self.offices[bureau]
        who = Who(
            HeardVersions(office.versions(), self._folder / bureau),
            office.bureau,
            office.keys["witness"],
            lambda: NOW_US,
            self._reach(bureau),
            random.Random(),
        )
        return Observer(who, store)

    def fork(self, bureau: str, *shown_to: str) -> LyingNode:
        """Another node of a bureau, which those named reach from now on; both go on from one disk, whatever they are
        shown.
        """
        first = self.nodes[bureau]
        home = self._home(f"{bureau}-{len(self._instead)}", bureau)
        first.stop()
        home.disk = first.home.disk.reopened()
        shutil.copy(first.home.noted, home.noted)
        first.start()
        other = self._open.enter_context(self._node(home, bureau))
        for liar in (first, other):
            setattr(liar.sequencer, "stop_writing", _shameless)  # noqa: B010, for what types would say
        for reader in shown_to:
            self._instead[reader, bureau] = other
            self.restart(reader)
        return other

    def restart(self, *bureaus: str) -> None:
        """Stop nodes, and start them again on what their disks hold."""
        for bureau in bureaus:
            self.nodes[bureau].stop()
            self.nodes[bureau].start()

    def go_by(self, bureau: str, *versions: Version) -> None:
        """Have a node be stopped and go by the last of some versions."""
        self.offices[bureau].adopted = versions
        self.restart(bureau)

    def go_by_that_of(self, profile: Profile) -> Version:
        """Have all nodes go by the version that a client goes by."""
        version = profile.heard_versions().current
        for bureau in self.nodes:
            self.go_by(bureau, version)
        return version

    def profile(self, name: str, *, shown: Mapping[str, LyingNode] | None = None) -> Profile:
        """A client's profile, by which each bureau's node is reached, or the one that it is shown in its place.

        Its charter has other endpoints than the nodes', and so another holder, or they would be two of one number.
        """
        nodes = {**self.nodes, **(shown or {})}
        stanzas = [
            msgspec.structs.replace(bureau, endpoint=f"127.0.0.1:{nodes[bureau.id].port}")
            for bureau in self.charter.bureau
        ]
        note, digest = sign_first_charter("pudong", stanzas, HOLDER, key_of(CLIENTS), now_us())
        folder = self._folder / name
        folder.mkdir()
        (folder / "charter.note").write_bytes(note)
        path = folder / "profile.toml"
        path.write_text(f'charter = "charter.note"\ncharter_digest = "{digest}"\nstate = "state"\n')
        return Profile.load(path)

    # What the nodes do.

    def swap(self, asker: str, answerer: str) -> None:
        """One swap, and whatever can be settled then."""

        async def swap() -> None:
            gossip = self.nodes[asker].engine.gossip
            with suppress(TallystickError):
                await gossip.swap(self.bureau(answerer))
            await gossip.settle()

        loop.run(swap())

    def rounds_until(self, done: Callable[[], bool], *bureaus: str) -> int:
        """Rounds of gossip, of all or of some, until something is so; how many it took."""
        for number in range(ROUNDS_MAX):
            if done():
                return number
            for bureau in bureaus or tuple(self.nodes):
                loop.run(self._round(self.nodes[bureau]))
        assert done(), f"not within {ROUNDS_MAX} rounds"
        return ROUNDS_MAX

    def evidence(self, holder: str, accused: str) -> bytes | None:
        """What a node holds against a bureau's key."""
        return self.nodes[holder].engine.proven.against(self.bureau(accused))

    @staticmethod
    async def _round(node: LyingNode) -> None:
        with suppress(TallystickError):
            await node.engine.gossip.round()

    def _home(self, name: str, bureau: str | None = None) -> Home:
        folder = self._folder / name
        folder.mkdir()
        return Home(folder, self.offices[bureau or name])

    def _node(self, home: Home, asker: str) -> LyingNode:
        return LyingNode(home, reach=self._reach(asker))

    def _reach(self, asker: str) -> Callable[[Bureau], Peer]:
        def reach(bureau: Bureau) -> Peer:
            node = self._instead.get((asker, bureau.id)) or self.nodes.get(bureau.id)
            port = 1 if node is None else node.port
            return Peer(msgspec.structs.replace(bureau, endpoint=f"127.0.0.1:{port}"))

        return reach


def _shameless(why: TallystickError) -> None:
    """Goes on as if nothing had been shown."""
