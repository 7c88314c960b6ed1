"""Which versions of the charter there are, as the nodes show a client: who goes by which, and what of it is proven.

Every node that answered has said which versions it holds. Notes that may be news are asked for and judged
(`core/versions`); what they prove is kept with what this client trusts. A later version changes nothing until it is
adopted. Two of one number that the holders signed are told to every node that does not hold both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tallystick.core.charter import Bureau
from tallystick.core.charter_chain import Version
from tallystick.core.errors import TallystickError
from tallystick.core.hashing import format_digest, parse_digest
from tallystick.core.versions import Fork
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.heard_versions import HeardVersions
from tallystick.sdk.patience import Patience
from tallystick.sdk.wire import Wire
from tallystick_proto.v1.gossip_pb2 import CharterLine, TellRequest

_DIGEST_BYTES: Final = 32

Said = Mapping[str, Sequence[CharterLine]]
"""The versions that each node says it holds, the one it goes by first, by bureau."""


@dataclass(frozen=True, slots=True)
class CharterNews:
    """What this client holds of the charter's versions after a round. `goes_by` has the number and digest that a node
    says it goes by, on its word alone, where these are not this client's.
    """

    versions: HeardVersions
    goes_by: dict[str, tuple[int, str]]

    @property
    def later(self) -> list[Version]:
        """Versions that follow the one this client goes by."""
        return self.versions.later

    @property
    def forks(self) -> list[Fork]:
        """Two versions of a number, the lowest first."""
        return [self.versions.forks[number] for number in sorted(self.versions.forks)]


def hear_charters(
    versions: HeardVersions,
    nodes: Iterable[Bureau],
    said: Said,
    deadline_s: float,
    credentials: Credentials | None,
    patience: Patience | None,
) -> CharterNews:
    """Ask the nodes for what is news, and tell them of a fork. Raises ConfigInvalid where nothing can be kept."""
    nodes = [node for node in nodes if node.id in said]
    for node in nodes:
        _hear(versions, said[node.id], Wire(node, deadline_s, credentials=credentials, patience=patience))
    if (fork := versions.unsettled) is not None:
        for node in nodes:
            _tell(fork, said[node.id], Wire(node, deadline_s, credentials=credentials, patience=patience))
    own = versions.current.number, versions.current.digest
    return CharterNews(versions, {node: line for node in said if (line := _first(said[node])) not in (None, own)})


def _first(lines: Sequence[CharterLine]) -> tuple[int, str] | None:
    """The number and digest that somebody says it goes by; None where it says nothing that could be one."""
    if not lines or len(lines[0].digest) != _DIGEST_BYTES:
        return None
    return lines[0].number, format_digest(lines[0].digest)


def _hear(versions: HeardVersions, lines: Sequence[CharterLine], wire: Wire) -> None:
    node = wire.at.id
    try:
        while (line := versions.asks(node, lines)) is not None:
            try:
                heard = versions.take(wire.charter(line.digest))
            except TallystickError:  # who does not show it has not shown it
                heard = None
            versions.answered(node, line)
            if heard is not None:
                versions.keep(heard)
    finally:
        wire.close()


def _tell(fork: Fork, lines: Sequence[CharterLine], wire: Wire) -> None:
    both = {parse_digest(each.digest) for each in (fork.known, fork.other)}
    if both <= {line.digest for line in lines}:
        return
    try:
        with suppress(TallystickError):
            wire.tell(TellRequest(charter=[fork.known.note, fork.other.note]))
    finally:
        wire.close()
