"""What `tally log` was asked for: index terms for the node, and bounds that this client applies itself."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from tallystick.cli.describe import kind_named
from tallystick.core.charter import Charter
from tallystick.core.errors import InvalidIdentifier, Usage
from tallystick.core.identifiers import parse_entry_ref, split_actor
from tallystick.core.kinds import KINDS, TERM_FIELDS
from tallystick.core.limits import SUBMISSION_ID_BYTES
from tallystick.core.terms import Term, terms_of
from tallystick.core.values import exchange_id
from tallystick.sdk.reader import LedgerReader, Shown

_CHUNK_ENTRIES = 256


@dataclass(frozen=True, slots=True)
class Query:
    """Terms an entry must carry, the submission it must belong to, and when it was recorded, in microseconds."""

    terms: tuple[Term, ...]
    submission: bytes | None
    since_us: int | None
    until_us: int | None

    @classmethod
    def parse(
        cls, filters: Mapping[str, str | None], since: str | None, until: str | None, charter: Charter, zone: tzinfo
    ) -> Query:
        """Read the filters by their names. Raises Usage, or InvalidIdentifier and NotFound for a reference."""
        terms: list[Term] = []
        for name, value in filters.items():
            if value is None or name == "submission":
                continue
            terms.append((TERM_FIELDS[name], _term_value(name, value, charter)))
        submission = filters.get("submission")
        return cls(
            tuple(terms),
            None if submission is None else _submission_id(submission),
            None if since is None else parse_moment(since, zone, "--since"),
            None if until is None else parse_moment(until, zone, "--until"),
        )

    @property
    def is_complete(self) -> bool:
        """Whether what it gives needs no node's word that nothing was left out."""
        return not self.terms and self.submission is None

    @property
    def asked(self) -> list[Term]:
        """The terms to ask a ledger for."""
        return list(self.terms) + ([(0, self.submission)] if self.submission is not None else [])

    def entries(self, reader: LedgerReader, size: int, *, newest_first: bool) -> Generator[Shown, None, None]:
        """The ledger's entries below `size` that fit, each verified."""
        first = 0 if self.since_us is None else _recorded_from(reader, size, self.since_us)
        end = size if self.until_us is None else _recorded_from(reader, size, self.until_us)
        if first >= end:
            return
        if self.submission is not None:
            yield from self._submission(reader, first, end, newest_first)
        elif self.terms:
            yield from reader.find(self.terms, first=first, end=end, newest_first=newest_first)
        elif newest_first:
            for below in range(end, first, -_CHUNK_ENTRIES):
                yield from reversed(list(reader.entries(max(first, below - _CHUNK_ENTRIES), below, size)))
        else:
            yield from reader.entries(first, end, size)

    def _submission(
        self, reader: LedgerReader, first: int, end: int, newest_first: bool
    ) -> Generator[Shown, None, None]:
        """The index knows a submission by its first entry, which says how many follow."""
        assert self.submission is not None
        opening = next(iter(reader.find([(0, self.submission)], limit=1)), None)
        if opening is None or opening.entry.signed is None:
            return
        index, count = opening.entry.index, opening.entry.signed.count
        found = list(reader.entries(max(first, index), min(end, index + count)))
        wanted = set(self.terms)
        yield from (
            shown
            for shown in (reversed(found) if newest_first else found)
            if wanted <= set(terms_of(shown.read.statement))
        )


def _recorded_from(reader: LedgerReader, size: int, at_us: int) -> int:
    """The first index below `size` recorded at or after a moment, else `size`: times in a ledger never decrease."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if reader.entry(middle).entry.recorded_at_us < at_us:
            low = middle + 1
        else:
            high = middle
    return low


def _term_value(name: str, value: str, charter: Charter) -> bytes:
    match name:
        case "kind":
            kind = kind_named(value)
            if kind is None:
                raise Usage(
                    f"there is no kind {value!r}",
                    where="--kind",
                    expected=", ".join(kind.name for kind in KINDS.values()),
                )
            return str(kind.number).encode()
        case "about":
            reference = parse_entry_ref(value)
            return f"{charter.ledger_of(reference.bureau).origin}#{reference.index}".encode()
        case "counterparty":
            return charter.by_id(value).id.encode()
        case "actor" | "officer":
            charter.by_id(_bureau_of(value, name))
            return value.encode()
        case "case" | "exchange":
            return exchange_id(value)
        case _:
            return value.encode("utf-8", "surrogateescape")


def _bureau_of(actor: str, option: str) -> str:
    """The bureau of an actor. Raises Usage."""
    try:
        return split_actor(actor).bureau
    except InvalidIdentifier as error:
        raise Usage(error.what, where=f"--{option}", expected="an actor, as taxation:clerk") from None


def _submission_id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        found = b""
    if len(found) != SUBMISSION_ID_BYTES:
        raise Usage(f"{text[:80]!r} is no submission id", where="--submission", expected="32 hex digits")
    return found


def parse_moment(text: str, zone: tzinfo, option: str) -> int:
    """Microseconds since 1970 of a day's beginning or a time in ISO 8601, in `zone` if it names none.

    Raises Usage, which names the option.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return round(moment.timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        raise Usage(
            f"{text[:80]!r} is no time",
            where=option,
            expected="a day as 2027-03-09, or a time as 2027-03-09T10:00+08:00",
        ) from None
