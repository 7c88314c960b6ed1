"""Findings: what a rule reports, who answers for it, which entries show it, and how far it is proven.

A rule yields a `Found`; the audit makes a `Finding` of it, with the rule's severity from the charter and an id that
stays the same from audit to audit: `F-` and 12 Crockford base32 digits of BLAKE3 of

    tallystick/finding/v1\\n<rule>\\n<bureau>\\n<reference>\\n…

so that it can be answered on a ledger and followed until it is closed. Facts (how many days, how often) may change from
day to day and are no part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Final

from tallystick.audit.place import Place
from tallystick.audit.rulebook import Severity
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.identifiers import NOBODY, finding_id, parse_entry_ref

OF_CHECKPOINTS: Final = frozenset({"rollback", "unreconciled"})
"""The rules on what a node showed as its ledger's checkpoint: nothing that stands in an entry."""

Fact = str | int | date | frozenset[str] | tuple[tuple[str, str], ...]
"""What fills a sentence: text, a number, a day, names, or fields by name with what they say. `words` names them."""


class Standing(Enum):
    """How far a finding is proven. No bureau is convicted by less than two signatures or its own."""

    PROVEN = ("proven", "已证明")
    ONE_SIDE = ("one side's word", "一方之言")
    ABSENT = ("absent within the coverage, beyond it not covered", "核查范围内无记录，范围外未覆盖")
    OBSERVED = ("an observation, not proven", "观察所得，未证明")
    NOT_COVERED = ("not covered", "未覆盖")

    def label(self, language: str) -> str:
        """What it is called, in `zh` or `en`."""
        return self.value[1] if language == "zh" else self.value[0]

    @property
    def key(self) -> str:
        """What programs read."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Absence:
    """The bureau on whose ledger something is missing, and what must have been read of it: all, or up to an `index`.

    `by` is the entry that points there. What was there to be pointed at is within the coverage, where that is settled.
    """

    bureau: str
    index: int = 0
    by: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule saw: the bureau that answers, the references that show it, when it arose, and the sentence's facts.

    `references` are what the finding's id is made of; `also` are entries that may join them later. What was found
    `once` for a bureau is not found again: what repeats it is counted (`Finding.times`). `absent_on` says
    where something is missing, which is not judged where that was not read.
    """

    bureau: str
    references: tuple[str, ...]
    at_us: int
    facts: Mapping[str, Fact]
    standing: Standing | None = None
    once: Hashable = None
    also: tuple[str, ...] = ()
    absent_on: Absence | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a bureau said to a finding on its own ledger: the entry, and the outcome's number."""

    bureau: str
    reference: str
    outcome: int


@dataclass(slots=True)
class Finding:
    """One finding of an audit. `bureau` answers for it; `at_us` is when it arose, `times` how often it was seen, and
    `suspect` those of its references whose author's key was compromised (`views.suspects`). `checkpoints` are those
    of its bureau's ledger that this client holds and no proof joins, for what is wrong with what a node showed as that.
    """

    id: str
    rule: str
    severity: Severity
    bureau: str
    standing: Standing
    references: tuple[str, ...]
    at_us: int
    facts: Mapping[str, Fact]
    times: int = 1
    suspect: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()

    @classmethod
    def of(cls, rule: str, severity: Severity, standing: Standing, found: Found) -> Finding:
        """What a rule saw, as a finding."""
        named = finding_id(rule, found.bureau, found.references)
        return cls(
            named,
            rule,
            severity,
            found.bureau,
            found.standing or standing,
            (*found.references, *found.also),
            found.at_us,
            found.facts,
        )

    @property
    def order(self) -> tuple[int, str, str, int, str]:
        """Findings are listed the worst first, then by bureau and rule, then as they arose."""
        return -self.severity, self.bureau, self.rule, self.at_us, self.id


def concerns(bureau: str, references: Sequence[str], bureaus: Collection[str]) -> bool:
    """Whether these bureaus answer for a finding, or nobody does yet and it is of a ledger of theirs."""
    if bureau != NOBODY:
        return bureau in bureaus
    return any(parse_entry_ref(reference).bureau in bureaus for reference in references)
