"""Writes `docs/rules.md`, what an audit looks for, from the rules and the table of obligations. Called by
`scripts/proto`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import tallystick.audit.rules as families
from tallystick.audit.obligations import OBLIGATIONS, Answering, Obligation, who_owes
from tallystick.audit.rule import RULES, Rule

TITLE = """# What an audit looks for

<!-- Written by scripts/proto from client/tallystick/audit. Do not edit. -->

One rule a row: its name, what it looks at, the sentence it says, and how far what it says is proven. A rule's severity
comes from the charter's rulebook, and is a warning where that says nothing. Deadlines and thresholds are the charter's
too; what it does not set is not judged, and the coverage says so.
"""

OWED = """## What is owed

The one table from which `tally inbox`, `tally owed`, overdue findings and response times follow. Deadlines are in
working days, under these names in the charter's rulebook. Only who owes can give the answer, unless the row says
otherwise.

| rule | opened by | owed by | within | met by |
|---|---|---|---|---|
"""


def cell(text: str) -> str:
    """Text that stays within one cell."""
    return " ".join(text.split()).replace("|", "\\|")


def row(rule: Rule) -> str:
    """One rule."""
    looks_at = cell(rule.doc) + "".join(f" Judged where the rulebook sets `{name}`." for name in sorted(rule.set_by))
    return f"| **{rule.id}** {rule.named} | {looks_at} | {cell(rule.en)} | {rule.standing.label('en')} |"


def sentence(described: object) -> str:
    """What something says of itself, without the full stop."""
    return cell(described.__doc__ or "").rstrip(".")


def answered(answering: Answering) -> str:
    """What meets an obligation, and who may say it where that is not who owes."""
    said = answering.said.DESCRIPTOR.name
    by = sentence(answering.by)
    return said if answering.by is who_owes else f"{said}, by {by[0].lower()}{by[1:]}"


def owed(obligation: Obligation) -> str:
    """One obligation."""
    within = obligation.within or "what the resource's own entry says"
    met = "; ".join(map(answered, obligation.met_by))
    owing = sentence(obligation.owes)
    return f"| {obligation.rule} | {obligation.opens.DESCRIPTOR.name} | {owing} | {within} | {met} |"


def main(target: Path) -> None:
    """Write the page."""
    parts = [TITLE]
    for name in families.__all__:
        module = import_module(f"{families.__name__}.{name}")
        heading = cell((module.__doc__ or "").partition("\n\n")[0])
        rules = [rule for rule in RULES.values() if rule.check.__module__ == module.__name__]
        lines = [f"## {name.capitalize()}", "", heading, "", "| rule | what it looks at | what it says | standing |"]
        parts.append("\n".join([*lines, "|---|---|---|---|", *map(row, rules)]))
    parts.append(OWED + "\n".join(map(owed, OBLIGATIONS)))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
