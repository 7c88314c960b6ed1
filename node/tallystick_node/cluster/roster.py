"""Who is in a local cluster: five bureaus of the Pudong case, further ones by number, and observers.

The credit codes are made up but well formed: 11 (a state organ), 310115 (Pudong), the organisation's eight digits
with their check digit (GB 11714: weighted sum modulo 11), and the check digit of the whole (GB 32100).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.core.charter import EVERYBODY_WITNESSES_MAX, Name
from tallystick.core.errors import InvalidIdentifier, Usage
from tallystick.core.identifiers import check_credit_code

NAME = "pudong"
DOMAIN = "pudong.example"
CHARTER_KEY = f"{DOMAIN}/key-1"
AUDITOR = "audit-office"
AUDITOR_KEY = f"{DOMAIN}/{AUDITOR}"
BUREAUS_MAX = 300

_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_NAMED = (
    ("market-regulation", Name("市场监督管理局", "Market Regulation Bureau", "市场监管局")),
    ("taxation", Name("税务局", "Taxation Bureau", "税务局")),
    ("planning", Name("规划和自然资源局", "Planning and Natural Resources Bureau", "规划资源局")),
    ("human-resources", Name("人力资源和社会保障局", "Human Resources and Social Security Bureau", "人社局")),
    ("data-office", Name("数据局", "Data Office", "数据局")),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A bureau of the roster before it has keys."""

    id: str
    name: Name
    credit_code: str
    observer: bool = False

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


def observers(count: int, after: int) -> list[Place]:
    """So many observers, in a roster with `after` bureaus before them. Raises Usage."""
    if not 0 <= count <= BUREAUS_MAX - after:
        raise Usage(f"{count} observers", where="--observers", expected=f"0 to {BUREAUS_MAX - after}")
    return [
        Place(
            f"observer-{n}", Name(f"第{n}观察者", f"Observer {n}", f"观察者{n}"), credit_code(after + n), observer=True
        )
        for n in range(1, count + 1)
    ]


def witnesses(places: Sequence[Place], number: int) -> tuple[str, ...]:
    """Whom a charter of these places lists as witnesses of one of them, by its number from 0.

    Nobody up to seven places, where everybody witnesses; beyond, the six that follow it, the first after the last.
    """
    if len(places) <= EVERYBODY_WITNESSES_MAX or places[number].observer:
        return ()
    return tuple(places[(number + step) % len(places)].id for step in range(1, EVERYBODY_WITNESSES_MAX))


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
