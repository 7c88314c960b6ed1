"""Who is in a local cluster, and the charter they share: five bureaus of the Pudong case, further ones by number.

The credit codes are made up but well formed: 11 (a state organ), 310115 (Pudong), the organisation's eight digits with their
check digit (GB 11714: weighted sum modulo 11), and the check digit of the whole (GB 32100).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from tallystick.core.charter import Auditor, Bureau, Charter, Name
from tallystick.core.errors import InvalidIdentifier, Usage
from tallystick.core.identifiers import check_credit_code
from tallystick.core.note import VerifierKey

DOMAIN = "pudong.example"
CHARTER_KEY = f"{DOMAIN}/key-1"
AUDITOR = "audit-office"
AUDITOR_KEY = f"{DOMAIN}/{AUDITOR}"
BUREAUS_MAX = 300
TIME_ZONE = "Asia/Shanghai"
_OFFSET = timezone(timedelta(hours=8))  # all year round, so that no time zone database is needed here

_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_NAMED = (
    ("market-regulation", Name("市场监督管理局", "Market Regulation Bureau", "市场监管局")),
    ("taxation", Name("税务局", "Taxation Bureau", "税务局")),
    ("planning", Name("规划和自然资源局", "Planning and Natural Resources Bureau", "规划资源局")),
    ("human-resources", Name("人力资源和社会保障局", "Human Resources and Social Security Bureau", "人社局")),
    ("data-office", Name("数据局", "Data Office", "数据局")),
)
# Holidays of fixed date; those of the lunar year are set by notice, a charter version each.
_FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
_SHARING_RULES = {
    "zh": "政务信息资源共享管理暂行办法（国发〔2016〕51号）",
    "en": "Interim Measures for the Sharing of Government Information Resources (Guofa [2016] No. 51)",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A bureau of the roster before it has keys."""

    id: str
    name: Name
    credit_code: str

    @property
    def origin(self) -> str:
        return f"{DOMAIN}/{self.id}"


def roster(bureaus: int) -> list[Place]:
    """The first so many bureaus. Raises Usage."""
    if not 1 <= bureaus <= BUREAUS_MAX:
        raise Usage(f"{bureaus} bureaus", where="--bureaus", expected=f"1 to {BUREAUS_MAX}")
    named = list(_NAMED[:bureaus])
    named += [
        (f"bureau-{n}", Name(f"第{n}单位", f"Bureau {n}", f"单位{n}")) for n in range(len(_NAMED) + 1, bureaus + 1)
    ]
    return [Place(id_, name, credit_code(number)) for number, (id_, name) in enumerate(named, 1)]


def credit_code(number: int) -> str:
    """A well-formed unified social credit code of a Pudong organ, another for each number up to 99,999,999."""
    organisation = f"{number:08d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    left = -sum(int(digit) * weight for digit, weight in zip(organisation, weights, strict=True)) % 11
    stem = f"11310115{organisation}{'X' if left == 10 else left}"
    for check in _DIGITS:
        try:
            return check_credit_code(stem + check)
        except InvalidIdentifier:
            continue
    raise AssertionError("one of the 31 digits is the check digit")


def charter_of(
    bureaus: Sequence[Bureau], charter_key: bytes, auditor_key: bytes | None, now: datetime, name: str = "pudong"
) -> Charter:
    """A charter of version 1 with a term of a year, signed by one key of its own."""
    issued = now.astimezone(_OFFSET).replace(microsecond=0)
    auditors = () if auditor_key is None else (Auditor(AUDITOR, VerifierKey.of(AUDITOR_KEY, auditor_key).format()),)
    return Charter(
        name=name,
        version=1,
        issued=issued,
        expires=issued + timedelta(days=365),
        threshold=1,
        charter_keys=(VerifierKey.of(CHARTER_KEY, charter_key).format(),),
        bureau=tuple(bureaus),
        auditor=auditors,
        rulebook=rulebook(issued.year),
    )


def rulebook(year: int) -> dict[str, Any]:
    """Deadlines in working days, holidays of a year and the next, purposes, and what is no basis."""
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
        "rule": {
            "request-overdue": {"severity": "warning", "citation": _SHARING_RULES},
            "withheld-without-basis": {"severity": "warning", "citation": _SHARING_RULES},
        },
    }
