"""The table of access is whole: a row for every call there is, and a column for every way to call."""

from __future__ import annotations

import msgspec
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tallystick.core.charter import Auditor
from tallystick.core.charter_note import open_charter
from tallystick.core.errors import NotAllowed
from tallystick.core.kinds import SENSITIVE
from tallystick_node import access, callers
from tallystick_node.access import ROWS, Access, Column, current, may_see
from tallystick_node.callers import Caller
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import Statement
from tests.harness.calls import calls_of, own_calls
from tests.harness.office import Office, key_of
from tests.harness.rosters import observing


def test_every_call_has_a_row() -> None:
    """And no row is of a call that is not there."""
    assert sorted(ROWS) == sorted(
        [*own_calls(), *calls_of(health_pb2.DESCRIPTOR), *calls_of(reflection_pb2.DESCRIPTOR)]
    )


OWN = Office("market")
OTHERS = {state: Office(state) for state in ("active", "suspended", "closed")}
WATCHER = observing(Office("watcher").bureau)
CHARTER = msgspec.structs.replace(
    open_charter(*OWN.charter()),
    bureau=(
        OWN.bureau,
        WATCHER,
        *(msgspec.structs.replace(office.bureau, state=state) for state, office in OTHERS.items()),
    ),
    auditor=(Auditor("audit-office", ""),),
)


def registered(*more: bytes) -> Access:
    """The own bureau's node, whose ledger registered `clerk` and `gateway`, and then says more."""
    actors = OWN.actors()
    for index, data in enumerate([OWN.registers("clerk"), OWN.registers("gateway", role=Role.SYSTEM), *more]):
        actors.fold(index, Statement.FromString(data), 1_000)
    return Access(CHARTER, OWN.bureau, lambda: actors)


COLUMNS = {
    "market:clerk": Column.OWN_OFFICER,
    "market:gateway": Column.OWN_SYSTEM,
    "market:registrar": Column.OWN_REGISTRAR,
    "market:node": Column.OWN_NODE,
    "market:stranger": None,
    "market:": None,
    "active:node": Column.PEER_NODE,
    "active:anybody": Column.PEER_ACTOR,
    "active:registrar": Column.PEER_ACTOR,
    "suspended:node": Column.PEER_NODE,
    "suspended:anybody": Column.PEER_ACTOR,
    "closed:node": None,
    "closed:anybody": None,
    "watcher:node": Column.PEER_NODE,
    "watcher:anybody": Column.PEER_ACTOR,
    "audit-office:": Column.AUDITOR,
    "audit-office:node": None,
    "elsewhere:node": None,
    ":": Column.IN_THE_CLEAR,
}


def column(access: Access, party: str, name: str, certified_us: int = 0) -> Column | None:
    try:
        return access.column_of(Caller(party, name, certified_us))
    except NotAllowed:
        return None


@pytest.mark.parametrize("who", COLUMNS)
def test_everybody_has_one_column_or_none(who: str) -> None:
    """By the charter and, of the own bureau, by what its ledger registered."""
    party, name = who.split(":")
    assert column(registered(), party, name) is COLUMNS[who]


def test_an_actor_is_what_its_valid_keys_make_it() -> None:
    """Another key adds to it, a revoked one takes away, and without one it is nobody."""
    spare = OWN.registers("clerk", key_of("spare"), Role.SYSTEM)
    assert column(registered(OWN.revokes("clerk")), "market", "clerk") is None
    assert column(registered(spare), "market", "clerk") is Column.OWN_OFFICER
    assert column(registered(spare, OWN.revokes("clerk")), "market", "clerk") is Column.OWN_SYSTEM
    gone = registered(spare, OWN.revokes("clerk"), OWN.revokes("clerk", key_of("spare")))
    assert column(gone, "market", "clerk") is None


def test_what_a_thief_may_have_ends_with_the_key_that_he_had() -> None:
    """A certificate from before a key was compromised stays refused, though its actor has a new key; others are not."""
    robbed = registered(OWN.revokes("clerk", since_us=500), OWN.registers("clerk", key_of("new")))
    assert column(robbed, "market", "clerk", 499) is None
    assert column(robbed, "market", "clerk", 500) is Column.OWN_OFFICER
    assert column(robbed, "market", "gateway", 499) is Column.OWN_SYSTEM
    again = registered(
        OWN.revokes("clerk", since_us=500),
        OWN.registers("clerk", key_of("new")),
        OWN.revokes("clerk", key_of("new"), since_us=400),
        OWN.registers("clerk", key_of("newer")),
    )
    assert column(again, "market", "clerk", 499) is None
    to_come = registered(OWN.revokes("clerk", since_us=2**62), OWN.registers("clerk", key_of("new")))
    assert column(to_come, "market", "clerk", 999) is None
    assert column(to_come, "market", "clerk", 1_000) is Column.OWN_OFFICER
    lost = registered(OWN.revokes("clerk"), OWN.registers("clerk", key_of("new")))
    assert column(lost, "market", "clerk", 1) is Column.OWN_OFFICER


def test_an_observer_registers_nobody() -> None:
    """At its own node its readers are what they are at others', its node is its own."""
    watcher = Access(CHARTER, WATCHER)
    assert column(watcher, "watcher", "anybody") is Column.PEER_ACTOR
    assert column(watcher, "watcher", "node") is Column.OWN_NODE
    assert column(watcher, "market", "node") is Column.PEER_NODE


def sees(who: Column, field: str, counterparty: str = "") -> bool:
    """What one may see of a field, who calls from `active`."""
    contexts = (current.set(who), callers.current.set(Caller("active", "anybody")))
    try:
        return may_see(field, counterparty)
    finally:
        current.reset(contexts[0])
        callers.current.reset(contexts[1])


SEARCHERS = {Column.OWN_OFFICER, Column.AUDITOR, Column.IN_THE_CLEAR}


def test_disclosures_are_seen_by_whom_their_field_names() -> None:
    """Of every entry by some; by an addressee only of entries that name his bureau, and not by its node."""
    for field in SENSITIVE:
        assert {column for column in Column if sees(column, field)} == SEARCHERS
        assert {column for column in Column if sees(column, field, "market")} == SEARCHERS
    addressed = {column for column in Column if sees(column, "duty_assigned.person", "active")}
    assert addressed == SEARCHERS | {Column.PEER_ACTOR}
    assert not sees(Column.PEER_ACTOR, "data_used.subject", "active")


def test_what_nobody_was_named_for_is_shown_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field without readers has none."""
    monkeypatch.setattr(access, "shown_to", lambda field: frozenset())
    assert not any(sees(column, "data_used.subject") for column in Column)
