"""Since when a bureau is suspended and until when it was, as the versions of a charter tell that are known.

The version that says so suspends it, from the moment it was issued, and the next that says otherwise ends that, when
that was issued: the word of the charter's holders, as a closing is (`core.closing`). Who does not know the version
before the first one cannot tell since when, and takes it to have been ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tallystick.core.charter_chain import Version


@dataclass(frozen=True, slots=True)
class Suspension:
    """The version by which a bureau's node records nothing, and when that was issued; and what ended it, 0 and None
    while nothing has.

    `issued` is None where a version before it, which is not known, may have suspended the bureau already.
    """

    bureau: str
    version: int
    issued: datetime | None
    ended_by: int = 0
    ended: datetime | None = None

    @property
    def since_us(self) -> int:
        """From when on it can record nothing, in microseconds since 1970; 0 where that is not known."""
        return 0 if self.issued is None else _us(self.issued)

    @property
    def until_us(self) -> int | None:
        """From when on it can again, or is closed; None while it cannot."""
        return None if self.ended is None else _us(self.ended)


def suspensions(known: Sequence[Version]) -> Iterator[Suspension]:
    """Every one that the versions tell of, the lasting ones last."""
    lasting: dict[str, Suspension] = {}
    for charter in (version.charter for version in known):
        for bureau in charter.ledgers:
            began = lasting.get(bureau.id)
            if bureau.state == "suspended" and began is None:
                certain = charter.version == 1 or charter is not known[0].charter
                lasting[bureau.id] = Suspension(bureau.id, charter.version, charter.issued if certain else None)
            elif bureau.state != "suspended" and began is not None:
                del lasting[bureau.id]
                yield replace(began, ended_by=charter.version, ended=charter.issued)
    yield from lasting.values()


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
