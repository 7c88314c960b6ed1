"""Entries gathered into bundles: adjacent ones together, each bundle with the path that joins it to a root.

`find` looks at every candidate the index names, since the index knows hashes of terms only: what is answered does carry
the terms. That nothing was left out cannot be seen from an answer, only from a full pass. It may look at many before
there is anything to answer, and says after each `LOOKED_AT_MAX` that others may have their turn.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.core.entry import decode_entry
from tallystick.core.errors import InvalidIdentifier, VerificationFailed
from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.limits import ANSWER_BYTES_MAX
from tallystick.core.merkle import prove_range
from tallystick.core.statement import read
from tallystick.core.terms import Term, terms_of
from tallystick_node.ledger import Ledger
from tallystick_proto.v1.ledger_pb2 import Bundle, FindRequest

_BUNDLE_BYTES = ANSWER_BYTES_MAX - 64 * 1024  # room for one more entry and the path
LOOKED_AT_MAX: Final = 256
READY_ENTRIES: Final = 4_096
READY_MAX: Final = 16  # bundles, each of up to a mebibyte
_TERM_NUMBERS = frozenset(TERM_FIELDS.values())


def bundles(ledger: Ledger, indexes: range, size: int) -> Iterator[Bundle]:
    """Adjacent entries as bundles that join the tree of `size`."""
    return _bundled(ledger, zip(indexes, ledger.entries(indexes.start, indexes.stop), strict=True), size)


class ReadyBundles:
    """Adjacent entries as bundles, the newest of them at hand: several witnesses ask for the same at about one time.

    A bundle ends at the latest where the index is a multiple of `READY_ENTRIES`, so that those who began at different
    entries are soon given the same ones. What is given is shared, and not to be changed.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, range, int], Bundle] = OrderedDict()

    def read(self, ledger: Ledger, first: int, end: int, size: int) -> Iterator[Bundle]:
        """Entries [first, end) as bundles that join the tree of `size`."""
        while first < end:
            stretch = range(first, min(end, first + READY_ENTRIES - first % READY_ENTRIES))
            key = ledger.origin, stretch, size
            bundle = self._kept.get(key)
            if bundle is None:
                bundle = self._kept[key] = next(bundles(ledger, stretch, size))
                if len(self._kept) > READY_MAX:
                    self._kept.popitem(last=False)
            yield bundle
            first += len(bundle.entry)


def find(ledger: Ledger, request: FindRequest, first: int, end: int, size: int) -> Iterator[Bundle | None]:
    """What carries all the request's terms within [first, end) of the tree of `size`, up to its limit; None now and
    then, where it looks for long.

    Where the limit cut the answer, the last bundle's `next` says where to go on: as `first` of the next request, or
    as `end` when the newest came first; it is a bound that leaves out what was answered, and 0 when there is no more.
    """
    terms = [(term.field, term.value) for term in request.term]
    for number, _ in terms:
        if number not in _TERM_NUMBERS:
            raise InvalidIdentifier(
                f"field {number} is no index term", where="term", expected="a term field of the head"
            )
    end = min(end, size)
    found = _matching(ledger, terms, first, end, request.newest_first) if first < end else iter(())
    last: Bundle | None = None
    indexes: list[tuple[int, bytes]] = []
    total = answered = 0
    for each in found:
        if each is None:
            yield None
            continue
        index, raw = each
        if request.limit and answered == request.limit:
            last = Bundle(size=size, next=indexes[-1][0] if request.newest_first else indexes[-1][0] + 1)
            break
        if indexes and (index != indexes[-1][0] + 1 or total + len(raw) > _BUNDLE_BYTES):
            yield from _bundled(ledger, indexes, size)
            indexes, total = [], 0
        indexes.append((index, raw))
        total += len(raw)
        answered += 1
    yield from _bundled(ledger, indexes, size)
    if last is not None:
        yield last


def says_to(ledger: Ledger, bureau: str, first: int, end: int) -> bool:
    """Whether something within [first, end) is addressed to a bureau."""
    term = (TERM_FIELDS["counterparty"], bureau.encode())
    return any(found is not None for found in _matching(ledger, [term], first, end, newest_first=True))


def _matching(
    ledger: Ledger, terms: list[Term], first: int, end: int, newest_first: bool
) -> Iterator[tuple[int, bytes] | None]:
    if not terms:
        if not newest_first:
            yield from zip(range(first, end), ledger.entries(first, end), strict=True)
            return
        for stop in range(end, first, -64):
            start = max(first, stop - 64)
            yield from reversed(list(zip(range(start, stop), ledger.entries(start, stop), strict=True)))
        return
    wanted = set(terms)
    candidates = ledger.candidates(terms, first, end, newest_first=newest_first)
    for looked_at, index in enumerate(candidates, 1):
        if looked_at % LOOKED_AT_MAX == 0:
            yield None
        raw = ledger.entry(index)
        try:
            entry = decode_entry(raw)
            carried = set(terms_of(read(entry.statement).statement))
        except VerificationFailed as error:
            raise ledger.damaged(index, error) from None
        if entry.signed is not None:
            carried.add((0, entry.signed.submission_id))
        if wanted <= carried:
            yield index, raw


def _bundled(ledger: Ledger, pairs: Iterable[tuple[int, bytes]], size: int) -> Iterator[Bundle]:
    """Adjacent (index, entry) pairs as bundles of at most about a mebibyte."""
    read_node = ledger.reader()
    first, raws, total = -1, list[bytes](), 0
    for index, raw in pairs:
        if raws and total + len(raw) > _BUNDLE_BYTES:
            yield Bundle(first=first, entry=raws, path=prove_range(first, index, size, read_node), size=size)
            raws, total = [], 0
        if not raws:
            first = index
        raws.append(raw)
        total += len(raw)
    if raws:
        yield Bundle(first=first, entry=raws, path=prove_range(first, first + len(raws), size, read_node), size=size)
