"""The bureaus of a simulated district, their charter, and what each has on its disk when a history begins.

Founding is the same in every history, so it is done once for each number of bureaus: every ledger holds its first
three entries, signed at `EPOCH_US`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import Final

import msgspec

from tallystick.core.charter import Bureau, Charter, Name
from tallystick.core.charter_chain import Version, read_version
from tallystick.core.hashing import parse_digest
from tallystick.core.identifiers import uuid7
from tallystick_node.cluster.roster import credit_code
from tallystick_node.first_charter import sign_first_charter
from tallystick_node.ledger import Ledger
from tallystick_node.store.memory import MemoryStore
from tallystick_proto.v1.meta_pb2 import Role
from tests.harness.office import NOW_US, Office, key_of
from tests.harness.versions import HOLDER
from tests.simulation.disks import Disk
from tests.simulation.signing import KnownKey

EPOCH_US: Final = NOW_US
"""When histories begin."""

NAMES: Final = ("market", "taxation", "planning", "health", "labour", "justice", "housing")


@dataclass(frozen=True, slots=True)
class World:
    """Bureaus under a first charter, and their disks as they were founded. Take copies of the disks."""

    offices: tuple[Office, ...]
    version: Version
    disks: tuple[Disk, ...]

    @property
    def charter(self) -> Charter:
        return self.version.charter

    def bureau(self, id: str) -> Bureau:
        return self.charter.by_id(id)


@lru_cache(maxsize=8)
def world(count: int, witnesses: int = 0, *, observer: bool = False) -> World:
    """So many bureaus. Each is witnessed by `witnesses` others, drawn by chance, or by everybody. The last may be an
    observer.
    """
    names = [*NAMES, *(f"bureau-{number}" for number in range(len(NAMES) + 1, count + 1))][:count]
    offices = tuple(_office(name, number) for number, name in enumerate(names, 1))
    chance = Random(count)
    for office in offices:
        others = [other.bureau.id for other in offices if other is not office]
        office.bureau = msgspec.structs.replace(office.bureau, witnesses=tuple(chance.sample(others, witnesses)))
    if observer:
        offices[-1].bureau = msgspec.structs.replace(offices[-1].bureau, ledger_key="", registrar_key="")
    bureaus = [office.bureau for office in offices]
    note, _ = sign_first_charter("pudong", bureaus, HOLDER, key_of("charter"), EPOCH_US)
    version = read_version(note)
    return World(offices, version, tuple(_founded(office, version) for office in offices))


def _office(name: str, number: int) -> Office:
    office = Office(name, endpoint=f"{name}.example:1")
    office.keys = {each: KnownKey(sha256(f"{name}/{each}".encode()).digest()) for each in office.keys}
    named = Name(zh=f"第{number}单位", en=name.capitalize())
    office.bureau = msgspec.structs.replace(office.bureau, credit_code=credit_code(number), name=named)
    return office


def _founded(office: Office, version: Version) -> Disk:
    store = MemoryStore()
    ledger, disk = Ledger.create(store, office.origin), Disk(office.origin, store, [version])
    if office.bureau.is_observer:
        return disk
    adopted = office.say("adopt_charter", "node", version=1, digest=parse_digest(version.digest))
    registered = [office.registers("clerk"), office.registers("gateway", role=Role.SYSTEM)]
    submissions = [
        office.prepared(said, by, id=uuid7(EPOCH_US, bytes((number,)) * 10))
        for number, (said, by) in enumerate((([adopted], "node"), (registered, "registrar")))
    ]
    commit = ledger.build(submissions, EPOCH_US)
    store.write(commit.batch)
    disk.noted().note(commit.state.size, commit.state.root)
    return disk


def names(world: World) -> Sequence[str]:
    """The bureaus' ids, in order."""
    return [office.bureau.id for office in world.offices]
