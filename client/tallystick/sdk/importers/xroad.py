"""X-Road's operational-monitoring records brought in: one bureau's own halves, and an account of every record.

Every record is one of four things, and the `Account` counts them all: imported, a duplicate (of a half in these files,
or on the ledger), somebody else's, or skipped with a reason. `xroad_input` says in which forms records come,
`xroad_record` how their fields are read, `xroad_half` what becomes of them. Whose a record is follows from the side of
the security server that wrote it, and the map: a record whose own side no map line covers is skipped, its identifiers
counted as unmapped, and so is our own record whose other side none covers.

One message has one half a side: a record that says of the same message and side something else than one before it is
skipped, never chosen from. A document of X-Road Metrics with a `client` and a `producer` is two records. A person
(`messageUserId`) is never kept; what else has no place in a half is counted (`dropped`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.sdk.importers.bring_in import Compared, Remarks, compare
from tallystick.sdk.importers.json_stream import Broken, Repeated
from tallystick.sdk.importers.xroad_half import Half, half_of
from tallystick.sdk.importers.xroad_input import Source, letters
from tallystick.sdk.importers.xroad_map import Identifier, XRoadMap
from tallystick.sdk.importers.xroad_record import CLIENT, MISSING, PRODUCER, Fields, Unreadable, read_fields

NOT_MAPPED: Final = "not in the map"

_SIDES: Final = {PRODUCER: ("service", "client"), CLIENT: ("client", "service")}
_UNDER: Final = {"client": CLIENT, "producer": PRODUCER}
_PERSON: Final = letters("messageUserId")


@dataclass(slots=True)
class Account:
    """What became of every record. `without`, `dropped`, `cut` and `read_as` speak of this bureau's own halves alone.

    `others` counts by bureau; `kinds` what is imported by kind; `cut_short` are the files that could not be read to
    their end, and why.
    """

    records: int = 0
    compared: Compared = field(default_factory=Compared)
    kinds: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    skipped: Remarks = field(default_factory=Remarks)
    unmapped: Counter[Identifier] = field(default_factory=Counter)
    cut_short: list[tuple[str, str]] = field(default_factory=list)
    without: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    cut: Counter[tuple[str, int]] = field(default_factory=Counter)
    read_as: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def imported(self) -> int:
        """Records whose half is, or would be, recorded."""
        return self.compared.wanted

    @property
    def duplicates(self) -> int:
        """Records whose half stands on the ledger, or in these files before."""
        return self.compared.unchanged + self.compared.repeated


class XRoadImport:
    """Reads records in one bureau's name. `account` is complete once `wanted` has ended."""

    def __init__(self, bureau: str, bureaus: XRoadMap, stands: dict[bytes, int]) -> None:
        """`stands` is what the bureau's ledger holds, from `standing_halves`."""
        self.account = Account()
        self._bureau = bureau
        self._bureaus = bureaus
        self._stands = stands

    def wanted(self, sources: Iterable[Source]) -> Iterator[Half]:
        """The halves to be recorded."""
        for half in compare(self._halves(sources), self._stands, self.account.compared, self._contradicts):
            self.account.kinds[half.kind] += 1
            yield half

    def _contradicts(self, half: Half) -> None:
        why = "another record of this message and side says otherwise"
        self.account.skipped.add("messageId", why, f"{half.place}: exchange {half.key[:16].hex()}")

    def _halves(self, sources: Iterable[Source]) -> Iterator[Half]:
        for source in sources:
            for number, value in source.records():
                for record, under in _records_in(value):
                    self.account.records += 1
                    try:
                        half = self._half(record, under, source, number)
                    except Unreadable as error:
                        place = source.place(number)
                        example = f"{place}: {error.found}" if error.found else place
                        self.account.skipped.add(error.name, error.why, example)
                        continue
                    if half is not None:
                        yield half
            if source.cut_short:
                self.account.cut_short.append((source.name, source.cut_short))

    def _half(self, record: object, under: str, source: Source, number: int) -> Half | None:
        """The half a record is of; None where it is another bureau's. Raises Unreadable."""
        if isinstance(record, Broken):
            raise Unreadable(source.unit, record.why, record.what)
        if isinstance(record, Repeated):
            raise Unreadable("record", "names a field twice")
        if not isinstance(record, dict):
            raise Unreadable("record", "not an object", record)
        fields = read_fields(record)
        server = fields.server(under)
        own_side, other_side = _SIDES[server]
        own = fields.identifier(own_side)
        if own is None:
            raise Unreadable(f"{own_side}MemberCode", MISSING)
        bureau = self._bureaus.bureau_of(own)
        if bureau is None:
            self._count_unmapped(own)
            self._count_unmapped(_identifier_if_any(fields, other_side))
            raise Unreadable(own_side, NOT_MAPPED, own)
        if bureau != self._bureau:
            self.account.others[bureau] += 1
            return None
        other = fields.identifier(other_side)
        counterparty = None if other is None else self._bureaus.bureau_of(other)
        if other is not None and counterparty is None:
            self._count_unmapped(other)
            raise Unreadable(other_side, NOT_MAPPED, other)
        half = half_of(fields, server, own if server == PRODUCER else other, counterparty, source.place(number))
        self._count_details(half, fields)
        return half

    def _count_unmapped(self, identifier: Identifier | None) -> None:
        if identifier is not None and self._bureaus.bureau_of(identifier) is None:
            self.account.unmapped[identifier] += 1

    def _count_details(self, half: Half, fields: Fields) -> None:
        account = self.account
        account.without.update(half.without)
        account.cut.update(half.cut)
        account.read_as.update(fields.read_as)
        for name in fields.others:
            why = "a person" if letters(name) == _PERSON else "no place in an exchange"
            account.dropped[name, why] += 1


def _identifier_if_any(fields: Fields, side: str) -> Identifier | None:
    try:
        return fields.identifier(side)
    except Unreadable:
        return None


def _records_in(value: Any) -> Iterator[tuple[object, str]]:
    """The records in one value of a file, with the server they stand under, if a document says it."""
    if not isinstance(value, dict) or isinstance(value, Repeated) or not _UNDER.keys() & value.keys():
        yield value, ""
        return
    halves = [(record, server) for name, server in _UNDER.items() if (record := value.get(name)) is not None]
    yield from halves or [(Broken("neither a client's nor a producer's"), "")]
