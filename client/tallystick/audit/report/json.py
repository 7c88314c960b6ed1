"""Findings and coverage as JSON: the one place that says what they look like to programs.

    {"id": "F-3KQ0ZV8M1T5R", "rule": "request-overdue", "rule_zh": "申请逾期未答复", "severity": "warning",
     "bureau": "market-regulation", "standing": "absent", "references": ["taxation#1042"], "suspect": [],
     "checkpoints": [], "at": "2027-03-09T…Z", "times": 1, "facts": {"days": 2, "due": "2027-03-23", …},
     "sentence": {"en": "…", "zh": "…"}, "citation": {"en": "…", "zh": "…"},
     "answers": [{"reference": "market-regulation#88", "outcome": "corrected"}]}

`standing` is `proven`, `one-side`, `absent` or `observed`; a day is `YYYY-MM-DD`, a moment RFC 3339 in UTC, null where
no calendar has it. `suspect` are those references that a compromised key signed, `checkpoints`, each with `size` and
`root`, those that no proof joined where the finding is of what a node showed as its ledger. Of a ledger in a coverage
`keeper` is the bureau whose copy showed it, null where its own node did, `away` whether that was out of reach, and
`witnessed` the size up to which a quorum cosigned it, null where that is not shown now, or the charter gives it no
quorum; `pinned` is the size up to which the charter pins it, and `unwitnessed` counts what neither covers.
`closings` are the bureaus that are closed, each by the version that first says so and is known, `issued` null
where one before it may have said so; `left_open` counts what fell due later and nobody can answer in its place,
`lapsed` what was owed to it and fell due later. `suspensions` say who was suspended from which version on, and until
which, null while it lasts; `issued` is null as there. A document of an audit is an object with at least `coverage` and
`findings`, and, where an earlier audit was given, the ids of those `closed` and `not_judged`, and the latter as they
were found, to be `carried` on; where only some were asked for, by which options they were `selected`. `audit.earlier`
says what is read of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.finding import Answer, Fact, Finding
from tallystick.audit.life import Lives
from tallystick.audit.rule import RULES
from tallystick.audit.seen import Seen
from tallystick.audit.words import Words
from tallystick.core.kinds import enum_label
from tallystick.core.moments import moment_json
from tallystick_proto.v1.statement_pb2 import ConcernAnswered

_OUTCOME = ConcernAnswered.Outcome.DESCRIPTOR


def finding_json(finding: Finding, words_en: Words, words_zh: Words, seen: Seen) -> dict[str, Any]:
    """One finding, as every command prints it."""
    return {
        "id": finding.id,
        "rule": finding.rule,
        "rule_zh": RULES[finding.rule].label("zh"),
        "severity": finding.severity.label("en"),
        "bureau": finding.bureau,
        "standing": finding.standing.name.lower().replace("_", "-"),
        "references": list(finding.references),
        "suspect": list(finding.suspect),
        "checkpoints": [{"size": each.size, "root": each.root.hex()} for each in finding.checkpoints],
        "at": moment_json(finding.at_us),
        "times": finding.times,
        "facts": {name: _fact(fact) for name, fact in finding.facts.items()},
        "sentence": {"en": words_en.sentence(finding), "zh": words_zh.sentence(finding)},
        "citation": {language: seen.rulebook.citation(finding.rule, language) for language in ("en", "zh")},
        "answers": [_answer(answer) for answer in seen.answers.to(finding.id, finding.bureau)],
    }


def lives_json(lives: Lives) -> dict[str, Any]:
    """What became of an earlier audit's findings that are found no more."""
    return {
        "closed": [old.id for old in lives.closed],
        "not_judged": [old.id for old in lives.unjudged],
        "carried": [old.document() for old in lives.unjudged],
    }


def coverage_json(coverage: Coverage) -> dict[str, Any]:
    """What an answer speaks of, as every command prints it."""
    return {
        "charter": coverage.charter,
        "version": coverage.version,
        "digest": coverage.digest,
        "day": coverage.day.isoformat(),
        "full": coverage.full,
        "entries": coverage.entries,
        "ledgers": [_ledger(ledger) for ledger in coverage.ledgers],
        "silent_nodes": list(coverage.silent_nodes),
        "closings": [
            {
                "bureau": each.bureau,
                "version": each.version,
                "issued": None if each.issued is None else each.issued.isoformat(),
                "successor": each.successor or None,
                "left_open": coverage.left_open.get((each.bureau, each.bureau), 0),
                "lapsed": coverage.lapsed(each.bureau),
            }
            for each in coverage.closings
        ],
        "suspensions": [
            {
                "bureau": each.bureau,
                "version": each.version,
                "issued": None if each.issued is None else each.issued.isoformat(),
                "ended_by": each.ended_by or None,
                "ended": None if each.ended is None else each.ended.isoformat(),
            }
            for each in coverage.suspensions
        ],
        "unset": list(coverage.unset),
        "years_without_holidays": list(coverage.years),
        "unjudged": [
            {"rule": rule, "bureau": bureau or None, "count": count}
            for (rule, bureau), count in sorted(coverage.unjudged.items())
        ],
    }


def _ledger(ledger: LedgerCoverage) -> Mapping[str, Any]:
    checkpoint = ledger.checkpoint
    return {
        "bureau": ledger.bureau,
        "origin": ledger.origin,
        "size": ledger.size,
        "root": None if checkpoint is None else checkpoint.root.hex(),
        "checked": ledger.checked,
        "complete": ledger.complete,
        "gap": ledger.gap,
        "not_understood": ledger.not_understood,
        "later": ledger.later,
        "keeper": ledger.keeper or None,
        "away": ledger.away,
        "witnessed": ledger.witnessed,
        "pinned": ledger.pinned,
        "unwitnessed": None if ledger.witnessed is None else ledger.unwitnessed,
        "forked": ledger.forked,
        "later_charter": ledger.later_charter or None,
        "compared": ledger.compared,
    }


def _answer(answer: Answer) -> Mapping[str, str]:
    return {"reference": answer.reference, "outcome": enum_label(_OUTCOME, answer.outcome, "en").replace(" ", "_")}


def _fact(fact: Fact) -> Any:
    match fact:
        case date():
            return fact.isoformat()
        case frozenset():
            return sorted(fact)
        case tuple():
            return dict(fact)
    return fact
