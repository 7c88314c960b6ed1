"""A first charter: version 1, one charter key, a term of a year, and a rulebook to begin with.

What one person needs to start: a local cluster, or a bureau on its own. A charter of several owners is written by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from tallystick.core.charter import Auditor, Bureau, Charter
from tallystick.core.charter_note import charter_digest, format_charter, sign_charter
from tallystick.core.keys import Signer
from tallystick.core.note import VerifierKey

TIME_ZONE = "Asia/Shanghai"
_OFFSET = timezone(timedelta(hours=8))  # all year round, so that no time zone database is needed here
_TERM = timedelta(days=365)
# Holidays of fixed date; those of the lunar year are set by notice, a charter version each.
_FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
_SHARING_RULES = {
    "zh": "政务信息资源共享管理暂行办法（国发〔2016〕51号）",
    "en": "Interim Measures for the Sharing of Government Information Resources (Guofa [2016] No. 51)",
}
# Serious: a ledger or a record that is broken, a ledger that is two, two sides that differ, and use of what was not
# given or was taken back.
_SERIOUS = (
    "chain-broken",
    "malformed-entry",
    "signature-invalid",
    "tree-mismatch",
    "equivocation",
    "witness-inconsistent",
    "charter-fork",
    "broken-reference",
    "sent-not-received",
    "received-not-sent",
    "halves-differ",
    "approver-without-supervisor",
    "access-without-grant",
    "recalled-version-in-use",
)
# Notes: what may well have a good reason.
_NOTES = ("hollow-basis", "late-record", "island-system", "never-granted", "night-use", "unsupported-receipt")


def sign_first_charter(
    name: str, bureaus: Sequence[Bureau], key_name: str, key: Signer, now_us: int, auditors: Sequence[Auditor] = ()
) -> tuple[bytes, str]:
    """A first charter's signed note and its digest. Raises MalformedCharter where the bureaus do not go together."""
    issued = datetime.fromtimestamp(now_us // 1_000_000, UTC).astimezone(_OFFSET)
    charter = Charter(
        name=name,
        version=1,
        issued=issued,
        expires=issued + _TERM,
        threshold=1,
        charter_keys=(VerifierKey.of(key_name, key.public).format(),),
        bureau=tuple(bureaus),
        auditor=tuple(auditors),
        rulebook=rulebook(issued.year),
    )
    text = format_charter(charter)
    return sign_charter(text, [(key_name, key)]), charter_digest(text)


def rulebook(year: int) -> dict[str, Any]:
    """Deadlines in working days, holidays of a year and the next, purposes, words that are no basis, and thresholds.

    A rule not named here is a warning.
    """
    return {
        "time_zone": TIME_ZONE,
        "holidays": [date(each, month, day) for each in (year, year + 1) for month, day in _FIXED_HOLIDAYS],
        "working_days": [],
        "deadlines": {
            "answer_request": 10,
            "serve_grant": 5,
            "acknowledge_delivery": 2,
            "answer_concern": 10,
            "heed_recall": 2,
            "accept_duty": 5,
            "deemed_service": 2,
        },
        "purposes": [
            "tax-registration",
            "joint-supervision",
            "business-licensing",
            "project-approval",
            "social-insurance",
        ],
        "hollow_words": ["private", "NA", "true", "内部", "无"],
        "thresholds": {
            "late_record_hours": 72,
            "period_days": 180,
            "never_granted_requests": 3,
            "bulk_uses_per_day": 200,
            "zombie_days": 180,
            "night": {"from": time(22), "until": time(6)},
        },
        "rule": {
            "request-overdue": {"severity": "warning", "citation": _SHARING_RULES},
            "withheld-without-basis": {"severity": "warning", "citation": _SHARING_RULES},
            **{rule: {"severity": "serious"} for rule in _SERIOUS},
            **{rule: {"severity": "note"} for rule in _NOTES},
        },
    }
