"""The tables of a report as plain data, read from the views: sharing classes, response times, exchanges, systems.

Every table lists bureaus in the charter's order, those the charter does not know after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from tallystick.audit.finding import Finding
from tallystick.audit.obligations import OBLIGATIONS
from tallystick.audit.report.figures import Figure, Gathered, added
from tallystick.audit.report.watched import Fate, Watched
from tallystick.audit.seen import Seen
from tallystick_proto.v1.statement_pb2 import ResourceDeclared

_CLASSES: Final = {
    ResourceDeclared.UNCONDITIONAL: "unconditional",
    ResourceDeclared.CONDITIONAL: "conditional",
    ResourceDeclared.WITHHELD: "withheld",
}
SYSTEM_RULES: Final = ("zombie-system", "island-system", "system-not-accepted")


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a bureau declares now, by sharing class; and, apart from that, what is open to the public."""

    bureau: str
    classes: Mapping[str, Figure]
    public: Figure

    @property
    def declared(self) -> int:
        return sum(figure.count for figure in self.classes.values())


@dataclass(frozen=True, slots=True)
class Dealings:
    """How a bureau dealt with what it owed under one obligation. `days` are working days, of those answered."""

    bureau: str
    rule: str
    fates: Mapping[Fate, Figure]
    days: int

    @property
    def answered(self) -> int:
        return self.fates[Fate.ON_TIME].count + self.fates[Fate.LATE].count

    @property
    def average(self) -> str:
        """Working days an answer took on the average, to one decimal; "" where there was none."""
        if not self.answered:
            return ""
        tenths = (10 * self.days + self.answered // 2) // self.answered
        return f"{tenths // 10}.{tenths % 10}"


@dataclass(frozen=True, slots=True)
class Pair:
    """The exchanges from one bureau to another: `matched` have both halves, of which some differ; the others have one,
    and of those some are said to have failed."""

    sender: str
    receiver: str
    matched: Figure
    differing: Figure
    sent_only: Figure
    received_only: Figure
    failed: Figure

    @property
    def count(self) -> int:
        return sum(each.count for each in (self.matched, self.sent_only, self.received_only, self.failed))


@dataclass(frozen=True, slots=True)
class GaveAndTook:
    """What a bureau gave to others and took from them: exchanges with or without the other half, and grants."""

    bureau: str
    gave: Figure
    took: Figure
    granted: Figure
    obtained: Figure


@dataclass(frozen=True, slots=True)
class SystemStock:
    """A bureau's systems: how many are registered and not retired, retired, and found idle, island, not accepted."""

    bureau: str
    registered: Figure
    retired: Figure
    found: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class SystemLine:
    """One system that a rule found, and what its bureau says of it. `idle_since` is a local day."""

    finding: Finding
    system: str
    name: str
    operator: str
    idle_since: date | None


def ordered(bureaus: Iterable[str], seen: Seen) -> list[str]:
    """Bureaus in the charter's order, others after them by name."""
    known = {bureau.id: number for number, bureau in enumerate(seen.charter.bureau)}
    return sorted(set(bureaus), key=lambda bureau: (known.get(bureau, len(known)), bureau))


def sharing(seen: Seen) -> list[Sharing]:
    """Sharing classes of every bureau that declares anything."""
    classes: dict[str, dict[str, Gathered]] = {}
    public: dict[str, Gathered] = {}
    for (bureau, _), entry in seen.catalogue.resources.items():
        into = classes.setdefault(bureau, {name: Gathered() for name in _CLASSES.values()})
        into[_CLASSES[entry.said.sharing]].add(entry.reference)
        if entry.said.public:
            public.setdefault(bureau, Gathered()).add(entry.reference)
    found = []
    for bureau in ordered(classes, seen):
        all_by = f"tally log {bureau} --kind ResourceDeclared -n 0"
        figures = {name: each.figure(all_by) for name, each in classes[bureau].items()}
        found.append(Sharing(bureau, figures, public.get(bureau, Gathered()).figure(all_by)))
    return found


def dealings(seen: Seen, watched: Watched) -> list[Dealings]:
    """Response times, a bureau and an obligation each, in the order of the table of obligations."""
    times = seen.obligations.times
    found = []
    for bureau in ordered((bureau for bureau, _ in times), seen):
        for obligation in OBLIGATIONS:
            each = times.get((bureau, obligation.rule))
            if each is None:
                continue
            log = f"tally log --all-bureaus --kind {obligation.opens.DESCRIPTOR.name} -n 0"
            audit = f"tally audit --rule {obligation.rule} --bureau {bureau} --on {seen.day.isoformat()}"
            fates = {
                fate: watched.owed.get((bureau, obligation.rule, fate), Gathered()).figure(
                    audit if fate is Fate.OVERDUE else log
                )
                for fate in Fate
            }
            found.append(Dealings(bureau, obligation.rule, fates, each.days))
    return found


def pairs(seen: Seen, watched: Watched) -> list[Pair]:
    """Exchanges by sender and receiver."""
    one_sided: dict[tuple[str, str], dict[str, Gathered]] = {}
    for exchange in seen.exchanges.open.values():
        half = exchange.sent or exchange.received
        if half is None:
            continue
        side = "failed" if exchange.failed else "sent" if exchange.sent is not None else "received"
        sides = one_sided.setdefault((exchange.key.sender, exchange.key.receiver), {})
        sides.setdefault(side, Gathered()).add(half.reference, *exchange.failed)
    keys = seen.exchanges.matched.keys() | one_sided.keys()
    place = {bureau: number for number, bureau in enumerate(ordered((each for key in keys for each in key), seen))}
    known = {bureau.id for bureau in seen.charter.bureau}
    found = []
    # Anybody can name bureaus that there are none of: those stand after all others, whoever names them.
    for sender, receiver in sorted(keys, key=lambda key: (not known.issuperset(key), place[key[0]], place[key[1]])):
        pair = sender, receiver
        sent_by = f"tally log {sender} --kind DataSent --with {receiver} -n 0"
        received_by = f"tally log {receiver} --kind DataReceived --with {sender} -n 0"
        sides = one_sided.get(pair, {})
        matched = watched.matched.get(pair, Gathered())
        found.append(
            Pair(
                sender,
                receiver,
                # What is said again with another content is compared again, and is still one exchange.
                Figure(seen.exchanges.matched[pair], tuple(matched.references), sent_by),
                watched.differing.get(pair, Gathered()).figure(sent_by),
                sides.get("sent", Gathered()).figure(sent_by),
                sides.get("received", Gathered()).figure(received_by),
                sides.get("failed", Gathered()).figure(sent_by),
            )
        )
    return found


def gave_and_took(seen: Seen, exchanged: Sequence[Pair]) -> list[GaveAndTook]:
    """What every bureau of the charter that has a ledger gave and took, and any other that a half names."""
    granted: dict[str, Gathered] = {}
    obtained: dict[str, Gathered] = {}
    for grant in seen.grants.grants.values():
        granted.setdefault(grant.provider, Gathered()).add(grant.entry.reference)
        obtained.setdefault(grant.to, Gathered()).add(grant.entry.reference)
    known = [bureau.id for bureau in seen.charter.ledgers]
    gave: dict[str, list[Pair]] = {}
    took: dict[str, list[Pair]] = {}
    for pair in exchanged:
        gave.setdefault(pair.sender, []).append(pair)
        took.setdefault(pair.receiver, []).append(pair)
    return [
        GaveAndTook(
            bureau,
            _exchanged(gave.get(bureau, ()), f"tally log {bureau} --kind DataSent -n 0"),
            _exchanged(took.get(bureau, ()), f"tally log {bureau} --kind DataReceived -n 0"),
            granted.get(bureau, Gathered()).figure(f"tally log {bureau} --kind AccessGranted -n 0"),
            obtained.get(bureau, Gathered()).figure(
                f"tally log --all-bureaus --kind AccessGranted --with {bureau} -n 0"
            ),
        )
        for bureau in ordered([*known, *gave, *took, *granted, *obtained], seen)
    ]


def _exchanged(some: Iterable[Pair], all_by: str) -> Figure:
    return added((each for pair in some for each in (pair.matched, pair.sent_only, pair.received_only)), all_by)


def systems(seen: Seen, findings: Sequence[Finding]) -> tuple[list[SystemStock], list[SystemLine]]:
    """The stock of systems of every bureau that has any; and each that a rule found, as the findings are ordered."""
    found = [finding for finding in findings if finding.rule in SYSTEM_RULES]
    counted: dict[tuple[str, str], Gathered] = {}
    for finding in found:
        counted.setdefault((finding.bureau, finding.rule), Gathered()).add(*finding.references)
    registered: dict[str, Gathered] = {}
    retired: dict[str, Gathered] = {}
    for system in seen.systems.systems.values():
        if system.retired is None:
            registered.setdefault(system.bureau, Gathered()).add(system.entry.reference)
        else:
            retired.setdefault(system.bureau, Gathered()).add(system.retired.reference)
    stock = []
    for bureau in ordered([*registered, *retired], seen):
        log = f"tally log {bureau} --kind SystemRegistered -n 0"
        on = seen.day.isoformat()
        rules = {
            rule: counted.get((bureau, rule), Gathered()).figure(
                f"tally audit --rule {rule} --bureau {bureau} --on {on}"
            )
            for rule in SYSTEM_RULES
        }
        stock.append(
            SystemStock(
                bureau,
                registered.get(bureau, Gathered()).figure(log),
                retired.get(bureau, Gathered()).figure(f"tally log {bureau} --kind SystemRetired -n 0"),
                rules,
            )
        )
    return stock, [_line(finding, seen) for finding in found]


def _line(finding: Finding, seen: Seen) -> SystemLine:
    code = str(finding.facts["system"])
    system = seen.systems.systems.get((finding.bureau, code))
    if system is None:
        return SystemLine(finding, code, "", "", None)
    return SystemLine(finding, code, system.entry.said.name, system.entry.said.operator, system.idle_since)
