"""An honest bureau whose disk is lost is recovered, by the node's own code: in a home on a real disk, until it is done.

Its operator asks every witness until all have answered, has the charter's holders sign a version with new keys and the
floor that was found, and rebuilds the ledger up to there; then the node starts as any other. What fails, because
somebody cannot be reached or says what proves nothing, is tried again after a while.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tallystick.core.bureau import Bureau
from tallystick.core.charter_chain import Version
from tallystick.core.errors import Forked, TallystickError
from tallystick.core.keys import SigningKey
from tallystick.sdk.key_file import load_key
from tallystick_node.config import Config, Settings, Tls
from tallystick_node.recovery import recover
from tallystick_node.renewal import next_keys
from tallystick_node.signed_size import SignedSize, _Slot
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tallystick_node.survey import survey
from tests.simulation.adopting import Adopting, floor_edit
from tests.simulation.bench import Bench
from tests.simulation.disks import Disk
from tests.simulation.network import Host
from tests.simulation.nodes import Machine

_WAITS_MAX_S: Final = 4.0


class Recovering:
    """The operators of machines whose disk is lost."""

    def __init__(self, bench: Bench, adopting: Adopting) -> None:
        self._bench = bench
        self._adopting = adopting
        self._rng = bench.chance("recovering")
        self.done = 0

    def lose(self, machine: Machine) -> None:
        """A machine is gone with its disk, keys and all; where its ledger was witnessed, it is recovered."""
        bench = self._bench
        if machine.lost or machine.id not in bench.judges.witnessed:
            return
        machine.lose()
        bench.loop.create_task(self._recover(machine))

    async def _recover(self, machine: Machine) -> None:
        version: Version | None = None
        with TemporaryDirectory() as folder:
            settings = Settings(Path(folder) / "tallyd.toml", Config(machine.id, ""))
            while machine.lost:
                await asyncio.sleep(self._rng.uniform(0.5, _WAITS_MAX_S))  # of simulated time, as long as it takes
                try:
                    if version is None:
                        version = await self._survey(machine, settings)
                    else:
                        await self._rebuild(machine, settings, version)
                except Forked as error:
                    self._bench.fail(f"who recovers {machine.name} accuses it: {error}")
                except TallystickError as error:
                    self._bench.say(machine.name, f"is not recovered yet: {error.what}")

    async def _survey(self, machine: Machine, settings: Settings) -> Version | None:
        """The version that it is recovered by; None where another was signed meanwhile."""
        bench, before = self._bench, self._bench.versions[-1]
        home = settings.path.parent
        settings.config = Config(machine.id, before.digest, tls=Tls(in_the_clear=True))
        settings.save()
        settings.place(settings.config.charter).write_bytes(before.note)
        bureau = before.charter.by_id(machine.id)
        found = await survey(before.charter, bureau, bench.network.reach(Host(machine.id)))
        floor = found.floor
        if bench.versions[-1] is not before:
            return None
        keys = next_keys(settings, before.charter, bureau, ("ledger", "witness"))
        said = "".join(f'{name} = "{value}"\n' for name, value in keys.items() if name != "id")
        others = [each for each in bench.honest() if each is not machine and not each.lost]
        edits = {machine.id: said + self._adopting.resumed(machine.id) + floor_edit(floor.size, floor.root)}
        version = self._adopting.sign(edits, self._rng.choice(others))
        (home / "next.note").write_bytes(version.note)
        return version

    async def _rebuild(self, machine: Machine, settings: Settings, version: Version) -> None:
        bench, file = self._bench, settings.path.parent / "next.note"
        reach = bench.network.reach(Host(machine.id))
        done = await recover(settings, file, reach, machine.now_us(), lambda done, of: None)
        assert done is not None
        bureau = version.charter.by_id(machine.id)
        known = bench.versions[: bench.versions.index(version) + 1]
        bench.judges.recovered(machine, done.floor)
        machine.replace(*_moved(Settings.load(settings.path), bureau, known))
        self.done += 1
        bench.say(machine.name, f"is recovered up to {done.floor.size} entries")
        machine.boot()
        bench.clients.record(machine.id, 1, 0)  # whose keys the ledger's entries still register


def _moved(settings: Settings, bureau: Bureau, versions: list[Version]) -> tuple[Disk, dict[str, SigningKey]]:
    """What a home holds, as a simulated disk has it, and its keys by office."""
    store, memory = LevelDbStore.open(settings.database), MemoryStore()
    try:
        memory.write(Batch(list(store.range(b"", None))))
    finally:
        store.close()
    signed = SignedSize.open(settings.signed_size, bureau.origin)
    signed.close()
    named = settings.config.keys
    files = {"node": named.ledger, "witness": named.witness, "disclosure": named.disclosure}
    keys = {office: _key(settings.place(file)) for office, file in files.items()}
    return Disk(bureau.origin, memory, versions, _Slot(0, *signed.value)), keys


def _key(path: Path) -> SigningKey:
    key = load_key(path)
    assert isinstance(key, SigningKey)
    return key
