"""Since when a bureau is closed, as the versions of a charter tell that are known.

The first version that says so closes it, from the moment it was issued: the word of the charter's holders. Who does not
know the version before cannot tell that it was the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tallystick.core.charter import Charter
from tallystick.core.charter_chain import Version


@dataclass(frozen=True, slots=True)
class Closing:
    """The version that closed a bureau's ledger, when that was issued, and who succeeds the bureau, "" for nobody.

    `issued` is None where a version before it, which is not known, may have closed it already.
    """

    bureau: str
    version: int
    issued: datetime | None
    successor: str

    @property
    def since_us(self) -> int:
        """From when on it answers nothing more, in microseconds since 1970; 0 where that is not known."""
        return 0 if self.issued is None else int(self.issued.timestamp()) * 1_000_000


def closings(known: Sequence[Version]) -> Iterator[Closing]:
    """Of the ledgers that are closed in the last of the versions that are known; what is closed stays so."""
    for bureau in known[-1].charter.ledgers:
        if bureau.state == "closed":
            saying = [each.charter for each in known if bureau.id in _closed(each.charter)]
            first = saying[0]
            certain = first.version == 1 or len(saying) < len(known)
            yield Closing(bureau.id, first.version, first.issued if certain else None, bureau.successor)


def _closed(charter: Charter) -> frozenset[str]:
    return frozenset(bureau.id for bureau in charter.bureau if bureau.state == "closed")
