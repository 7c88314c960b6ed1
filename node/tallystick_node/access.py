"""Who may do what, decided here and nowhere else.

For now: whoever reaches the node may read (it listens on loopback only, see `config`), and an actor may submit the
kinds that its registered role allows, as the kinds' own options say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallystick.core.kinds import Kind, role_label


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks: an actor under a registered role, or anybody who reached the node (both empty)."""

    actor: str = ""
    role: int = 0


ANYBODY = Principal()

# Calls that record nothing, and who may make them.
_READ_BY_ANYBODY: Final = frozenset(
    {
        "GetCheckpoint",
        "WatchCheckpoints",
        "ProveConsistency",
        "ProveInclusion",
        "ProvePresence",
        "ReadEntries",
        "Find",
    }
)
# A witness proves what it says by its cosignature, and is shown nothing but signed checkpoints.
_WITNESSING: Final = frozenset({"Cosign", "GetCosigned"})
# Tells who knows a subject that it was looked up, and how often: the first to be kept for those entitled to it.
_OPENED_TO_ANYBODY: Final = frozenset({"FindOpenings"})


def may(principal: Principal, rpc: str, kind: Kind | None) -> bool:
    """Whether a principal may call an RPC, for a statement kind where the RPC records one."""
    if kind is None:
        return rpc in _READ_BY_ANYBODY | _WITNESSING | _OPENED_TO_ANYBODY
    return principal.role in kind.roles


def refusal(principal: Principal, kind: Kind) -> str:
    """What `may` asked for and did not find, as the end of a sentence."""
    return (
        f"{' or '.join(role_label(role, 'en') for role in sorted(kind.roles))}, not {role_label(principal.role, 'en')}"
    )
