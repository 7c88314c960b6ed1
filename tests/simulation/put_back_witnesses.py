"""Of a witness whose disk was put back: it never cosigns anew what somebody in reach could tell it that it forgot.

Somebody could, where as the witness came up again he held a note with its cosignature that its record does not say, and
has been in reach since. A witness that was not put back is never named by evidence. One that was may be, where whoever
knew better was out of reach: then its key has signed two histories, and who reads that says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallystick.core.charter import Bureau
from tallystick.core.errors import BehindSigned, TallystickError
from tallystick.core.note import VerifierKey
from tallystick_node.copies import Copy
from tests.simulation.nodes import Machine, NodeProcess

if TYPE_CHECKING:
    from tests.simulation.bench import Bench


class PutBackWitnesses:
    """They are looked at as they come up, and as they cosign."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._who_knows: dict[tuple[NodeProcess, str], list[tuple[Machine, NodeProcess]]] = {}
        self.named: set[str] = set()
        """Those that evidence names."""

    def serves(self, machine: Machine) -> None:
        """A node that was put back can be asked again, and begins to ask."""
        process = machine.process
        assert process is not None
        for ledger in machine.version.charter.ledgers:
            if ledger.id != machine.id:
                known = [
                    (other, other.process)
                    for other in self._bench.honest()
                    if other.id not in (machine.id, ledger.id) and _could_remind(process, other.process, ledger)
                ]
                self._who_knows[process, ledger.id] = [(each, knows) for each, knows in known if knows is not None]

    def cosigns(self, machine: Machine, ledger: str) -> None:
        """A node makes durable what it cosigns next."""
        process = machine.process
        if process is None:
            return
        for other, knew in self._who_knows.pop((process, ledger), []):
            fair_since_s = self._bench.network.fair_since_s(machine.id, other.id)
            if other.process is knew and fair_since_s is not None and fair_since_s <= process.serves_from_s:
                self._bench.fail(f"{machine.name} forgot what it cosigned of {ledger}, and {other.name} could tell it")

    def proven(self, cosigners: tuple[VerifierKey, ...]) -> None:
        """Somebody writes down evidence that such witnesses cosigned both histories."""
        names = {key.name for key in cosigners}
        for machine in self._bench.honest():
            if machine.bureau.witness_verifier.name in names:
                self.named.add(machine.id)
                if not machine.was_put_back:
                    self._bench.fail(f"{machine.name}, which is honest, is named as cosigner of two histories")


def _could_remind(forgetful: NodeProcess, other: NodeProcess | None, ledger: Bureau) -> bool:
    """Whether a node holds a note of a ledger by which another forgot what it cosigned."""
    if other is None or not other.handlers:
        return False
    copy, account = forgetful.engine.shelf.open(ledger), other.engine.heard.accounts[ledger.origin]
    return any(
        _is_news(copy, seen.note) for seen in (*account.known, *account.past) if forgetful.machine.id in seen.said
    )


def _is_news(copy: Copy, note: bytes) -> bool:
    try:
        copy.recall(note)
    except BehindSigned:
        return True
    except TallystickError:  # it proves nothing
        return False
    return False
