"""Coverage: which ledgers, up to which size, under which charter an answer speaks of, and how complete it is.

A *full pass* read every entry of a ledger up to its checkpoint and verified it, so within it absence means something.
An answer *as answered* holds only what a node chose to show: each entry is proven, that none was left out is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from tallystick.audit.roots import Roots
from tallystick.audit.suspension import Suspension
from tallystick.core.acknowledged import Acknowledged
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.closing import Closing
from tallystick.core.errors import Forked, TallystickError, VerificationFailed
from tallystick.core.identifiers import parse_entry_ref
from tallystick.core.witnessing import Witnessed


@dataclass(frozen=True, slots=True)
class CharterFork:
    """Two versions of one number, by their digests, each signed by a threshold of the charter's keys."""

    version: int
    digests: frozenset[str]


@dataclass(slots=True)
class LedgerCoverage:
    """How much of one ledger was read. `checkpoint` is None where its node showed none.

    `gap` says in one sentence why it was not read to its end, "" where it was, and `exit_code` what that means to a
    program (design, section 10); `settled` is the size up to which the other ledgers' checkpoints were taken later;
    `not_understood` counts entries with more in them than this version knows, verified and left aside; `later` those
    that by its node's clock were recorded after the day judged, verified and not judged. `cosigned` is what was shown
    of what its witnesses cosigned last, each verified, None where nobody was asked or answered; `keeper` the bureau
    from whose copy it was read, "" where its own node was asked, `away` whether that was out of reach; `witnessed` the
    size up to which a quorum cosigned it, None where the charter gives it none, or what was cosigned was not shown;
    `pinned` that of the floor which the charter's holders signed for, 0 where there is none.
    `evidence` is what this client has of two histories under a key of the ledger, `forked` whether its present key is
    proven to have signed two; `acknowledged` what this client keeps of checkpoints that no key vouches for any more;
    `later_charter` the number of a version that the ledger goes by and this client does not know, 0 where there is
    none; `compared` how many other nodes showed what they hold of it, None where none was asked; `roots` those of its
    sizes, as its entries are taken, and `contradicting` the first checkpoint that an entry of it carries and that is
    not of it, b"" for none.
    """

    bureau: str
    origin: str
    checkpoint: Checkpoint | None = None
    settled: int = 0
    checked: int = 0
    gap: str = ""
    exit_code: int = 0
    not_understood: int = 0
    later: int = 0
    cosigned: tuple[Witnessed, ...] | None = None
    keeper: str = ""
    away: bool = False
    witnessed: int | None = None
    pinned: int = 0
    evidence: Forked | None = None
    forked: bool = False
    acknowledged: tuple[Acknowledged, ...] = ()
    later_charter: int = 0
    compared: int | None = None
    roots: Roots = field(default_factory=Roots, repr=False, compare=False)
    contradicting: bytes = b""

    def fail(self, error: TallystickError) -> None:
        """Note what kept it from being read further."""
        self.gap, self.exit_code = str(error), error.exit_code
        if isinstance(error, Forked):
            self.evidence = error

    def disbelieve(self, evidence: Forked) -> None:
        """The key it has now is proven to have signed another history as well."""
        self.evidence, self.forked = evidence, True
        self.exit_code = max(self.exit_code, VerificationFailed.exit_code)

    @property
    def own_node_asked(self) -> bool:
        """Whether its own node was asked for it, out of reach or not; else it was asked of whoever keeps a copy."""
        return self.away or not self.keeper

    @property
    def size(self) -> int:
        return 0 if self.checkpoint is None else self.checkpoint.size

    @property
    def unwitnessed(self) -> int:
        """How many of its entries no quorum has cosigned, though it has one, and the charter does not pin."""
        return 0 if self.witnessed is None else max(0, self.size - max(self.witnessed, self.pinned))

    @property
    def is_read(self) -> bool:
        """Whether anything can be said by it: it was shown, and failed, if it did, after an entry at least."""
        return self.checkpoint is not None and (self.checked > 0 or not self.gap)

    @property
    def complete(self) -> bool:
        """Whether every entry up to the checkpoint was read and verified, and none of them is denied by its own key."""
        return self.checkpoint is not None and not self.gap and not self.forked and self.checked == self.size


@dataclass(slots=True)
class Coverage:
    """What an answer speaks of. `unjudged` counts, by rule and bureau, what an uncovered ledger left open; under "" is
    what a bureau that the charter does not know was named for.

    `unset` are the deadlines and thresholds the rulebook does not set, `years` those it names no holiday of. `asked_us`
    is when witnesses were asked after, None where they were not. `versions` are the digests of the versions this client
    knows, by number, `charter_forks` what contradicts them; `silent_nodes` the bureaus whose nodes were asked what they
    hold of all ledgers, and did not answer. `closings` are the bureaus that are closed, `left_open` says by who owes
    and who was closed how many answers are held against nobody for that, since they fell due later. `suspensions`
    says who was suspended, and when.
    """

    charter: str
    version: int
    digest: str
    day: date
    full: bool
    ledgers: list[LedgerCoverage]
    unset: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    unjudged: Mapping[tuple[str, str], int] = field(default_factory=dict)
    asked_us: int | None = None
    versions: Mapping[int, str] = field(default_factory=dict)
    charter_forks: tuple[CharterFork, ...] = ()
    silent_nodes: tuple[str, ...] = ()
    closings: tuple[Closing, ...] = ()
    left_open: Mapping[tuple[str, str], int] = field(default_factory=dict)
    suspensions: tuple[Suspension, ...] = ()

    def unwitnessed(self, references: Iterable[str]) -> list[str]:
        """Those of some references, as `bureau#index`, that are not witnessed; of a ledger of which it is not shown how
        far it is, or that has no quorum, none. Nor is any that the charter pins.
        """
        witnessed = {
            each.bureau: max(each.witnessed, each.pinned) for each in self.ledgers if each.witnessed is not None
        }
        parsed = {reference: parse_entry_ref(reference) for reference in references}
        return [each for each, at in parsed.items() if at.bureau in witnessed and at.index >= witnessed[at.bureau]]

    def lapsed(self, closed: str) -> int:
        """How many answers others owed a closed bureau that fell due later."""
        return sum(count for (owes, whom), count in self.left_open.items() if whom == closed != owes)

    @property
    def entries(self) -> int:
        """How many entries were read and verified."""
        return sum(ledger.checked for ledger in self.ledgers)

    @property
    def read(self) -> int:
        """How many ledgers anything was read of."""
        return sum(ledger.is_read for ledger in self.ledgers)

    @property
    def exit_code(self) -> int:
        """What the gaps mean to a program: 0 where there are none, else the worst of them."""
        return max((ledger.exit_code for ledger in self.ledgers), default=0)

    @property
    def complete(self) -> frozenset[str]:
        """The bureaus whose ledgers were read whole."""
        return frozenset(ledger.bureau for ledger in self.ledgers if ledger.complete)
