"""Who may do what, decided here and nowhere else; `docs/access.md` is this table printed.

A *column* is as what somebody calls a node: found by `Access.column_of` from who its connection says it is and, of the
node's own bureau, from what the ledger says of its actors *now*. A *row* is a call, and what is in neither is refused.
Which kinds may be recorded is said by the kinds' own options, and goes by the role of the key that signed.

Whose disclosures may be seen is said by the fields' own options (`shown_to`).

Whoever has no column is refused everything with the same words, which tell nothing; the node's log says why.

`current` is the column of the call that is being answered, as `callers.current` is its caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from enum import Enum
from typing import Final

from tallystick.core.actors import Actors
from tallystick.core.charter import Bureau, Charter
from tallystick.core.errors import NotAllowed
from tallystick.core.kinds import SENSITIVE, Kind, field_options, role_label
from tallystick_node import callers
from tallystick_node.callers import IN_THE_CLEAR, Caller
from tallystick_proto.v1.meta_pb2 import Reader, Role

NODE: Final = "node"
"""The name under which a node calls, as in `taxation:node`."""


class Column(Enum):
    """As what somebody calls a node; the value is what it is called."""

    OWN_OFFICER = "own officer"
    OWN_SYSTEM = "own system"
    OWN_REGISTRAR = "own registrar"
    OWN_NODE = "own node"
    PEER_NODE = "other bureau's node"
    PEER_ACTOR = "other bureau's actor"
    AUDITOR = "auditor"
    IN_THE_CLEAR = "in the clear"


current: ContextVar[Column] = ContextVar("column", default=Column.IN_THE_CLEAR)

# Under which role the ledger knows an actor; who has several is taken for the first of them.
_BY_ROLE: Final = (
    (Role.OFFICER, Column.OWN_OFFICER),
    (Role.SYSTEM, Column.OWN_SYSTEM),
    (Role.REGISTRAR, Column.OWN_REGISTRAR),
    (Role.NODE, Column.OWN_NODE),
)

# As what those call who may see a field's disclosures. An addressee is one only of entries that name his bureau.
_READERS: Final[Mapping[int, frozenset[Column]]] = {
    Reader.OWN_OFFICER: frozenset({Column.OWN_OFFICER, Column.IN_THE_CLEAR}),
    Reader.OWN_SYSTEM: frozenset({Column.OWN_SYSTEM, Column.IN_THE_CLEAR}),
    Reader.AUDITOR: frozenset({Column.AUDITOR}),
    Reader.ADDRESSEE: frozenset({Column.PEER_ACTOR}),
}


def shown_to(field: str) -> frozenset[int]:
    """Who may see the disclosures of a sensitive field, named as in `data_used.subject`."""
    return frozenset(field_options(SENSITIVE[field].body.fields_by_name[field.partition(".")[2]]).shown_to)


_EVERYBODY: Final = frozenset(Column)
_RECORDERS: Final = frozenset({Column.OWN_OFFICER, Column.OWN_SYSTEM, Column.OWN_REGISTRAR, Column.IN_THE_CLEAR})
_OPERATORS: Final = frozenset({Column.OWN_NODE, Column.IN_THE_CLEAR})
# Who may see some field of every entry, and so may look for a value in it.
_SEARCHERS: Final = frozenset[Column]().union(
    *(_READERS[reader] for field in SENSITIVE for reader in shown_to(field) if reader != Reader.ADDRESSEE)
)

# Who may see some field of some entry.
_SHOWN: Final = frozenset[Column]().union(*(_READERS[reader] for field in SENSITIVE for reader in shown_to(field)))

ROWS: Final[Mapping[str, frozenset[Column]]] = {
    "tallystick.v1.Submit/Submit": _RECORDERS,
    "tallystick.v1.Submit/SubmitMany": _RECORDERS,
    "tallystick.v1.Ledger/GetCheckpoint": _EVERYBODY,
    "tallystick.v1.Ledger/WatchCheckpoints": _EVERYBODY,
    "tallystick.v1.Ledger/ProveConsistency": _EVERYBODY,
    "tallystick.v1.Ledger/ProveInclusion": _EVERYBODY,
    "tallystick.v1.Ledger/ProvePresence": _EVERYBODY,
    "tallystick.v1.Ledger/ReadEntries": _EVERYBODY,
    "tallystick.v1.Ledger/Find": _EVERYBODY,
    # Tells who knows a subject that it was looked up, when and by whom.
    "tallystick.v1.Ledger/FindOpenings": _SEARCHERS,
    "tallystick.v1.Ledger/Disclose": _SHOWN,
    # A witness is shown nothing but signed checkpoints, and proves what it says by its cosignature.
    "tallystick.v1.Witness/Cosign": frozenset({Column.PEER_NODE, Column.IN_THE_CLEAR}),
    "tallystick.v1.Witness/GetHeld": _EVERYBODY,
    "tallystick.v1.Witness/GetCosigned": _EVERYBODY,
    "tallystick.v1.Gossip/Swap": _EVERYBODY,
    "tallystick.v1.Gossip/Tell": _EVERYBODY,
    "tallystick.v1.Gossip/GetCharter": _EVERYBODY,
    # With the token besides, which stands in the home.
    "tallystick.v1.Operate/Backup": _OPERATORS,
    "grpc.health.v1.Health/Check": _EVERYBODY,
    "grpc.health.v1.Health/List": _EVERYBODY,
    "grpc.health.v1.Health/Watch": _EVERYBODY,
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": _RECORDERS | _OPERATORS,
}


def may(column: Column | None, rpc: str) -> bool:
    """Whether who calls as this may make a call, named as in `tallystick.v1.Ledger/Find`."""
    return column in ROWS.get(rpc, ())


def may_see(field: str, counterparty: str = "") -> bool:
    """Whether the current caller may see a field's disclosures, of any entry or of those with this counterparty."""
    column, party = current.get(), callers.current.get().party
    return any(
        column in _READERS[reader] and (reader != Reader.ADDRESSEE or party == counterparty)
        for reader in shown_to(field)
    )


def may_record(role: int, kind: Kind) -> bool:
    """Whether a role may sign a kind."""
    return role in kind.roles


def signers(kind: Kind) -> str:
    """Who may sign a kind, as the end of a sentence."""
    return " or ".join(role_label(role, "en") for role in sorted(kind.roles))


def refusal() -> NotAllowed:
    """What everybody is told who may not do what he asked for."""
    return NotAllowed("this is not for you to call", expected="a caller to whom the node's table of access gives it")


def speaks_for(caller: Caller, party: str) -> bool:
    """Whether what a caller says in a party's name is that party's: its own word, or anybody's in the clear."""
    return caller in (IN_THE_CLEAR, Caller(party, NODE))


class Access:
    """What callers may do at one node: of `own`, under a charter. `actors` are those of its ledger as it is now; an
    observer has none.
    """

    def __init__(self, charter: Charter, own: Bureau, actors: Callable[[], Actors] | None = None) -> None:
        self._bureaus = {bureau.id for bureau in charter.bureau if bureau.state != "closed"}
        self._auditors = {auditor.id for auditor in charter.auditor}
        self._own = own
        self._actors = actors

    def column_of(self, caller: Caller) -> Column:
        """As what somebody calls, at this moment. Raises NotAllowed where it is nobody, with the reason for the log."""
        if caller == IN_THE_CLEAR:
            return Column.IN_THE_CLEAR
        if caller.party in self._auditors and not caller.name:
            return Column.AUDITOR
        if caller.party not in self._bureaus:
            raise NotAllowed(f"{caller.id} is not of this charter")
        if caller.party == self._own.id:
            return self._own_column(caller)
        return Column.PEER_NODE if caller.name == NODE else Column.PEER_ACTOR

    def _own_column(self, caller: Caller) -> Column:
        if self._actors is None:  # an observer registers nobody: its authority alone vouches for who reads
            return Column.OWN_NODE if caller.name == NODE else Column.PEER_ACTOR
        actors = self._actors()
        if caller.certified_us < actors.compromised_us(caller.id):
            # Whoever had a key of his may have the certificate's as well, and a new key of his does not change that.
            raise NotAllowed(
                f"the certificate of {caller.id} begins before a key of his was compromised", expected="a later one"
            )
        roles = actors.roles_of(caller.id)
        for role, column in _BY_ROLE:
            if role in roles:
                return column
        raise NotAllowed(f"{caller.id} is not registered, or revoked")
