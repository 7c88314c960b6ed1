"""Everything else a database holds: disclosures that open, and no key that nothing explains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError

from tallystick.core.errors import TallystickError
from tallystick.core.limits import HASH_BYTES, TILE_WIDTH
from tallystick_node import keyspace
from tallystick_node.disclosures import Disclosures, Sealed
from tallystick_node.doctor.entries import full_tiles
from tallystick_node.doctor.report import Report
from tallystick_node.erasing import erased
from tallystick_node.ledger import Ledger
from tallystick_node.openings import check_disclosure
from tallystick_node.store.store import after

# Between the prefixes that `keyspace` names nothing stands.
OWN_GAPS: Final = (
    (b"", b"c"),
    (b"f", b"g"),
    (b"h", b"k"),
    (b"l", b"p"),
    (b"q", b"r"),
    (b"s", b"t"),
    (b"u", b"v"),
    (b"y", b"z"),
    (b"z\x00", None),
)
# An observer has copies and what it heard, and nothing else; of segments and tiles an empty ledger has none.
OBSERVER_GAPS: Final = (
    (b"", b"c"),
    (b"d", b"e"),
    (b"f", b"g"),
    (b"h", b"t"),
    (b"u", b"v"),
    (b"w", b"z"),
    (b"z\x00", None),
)
# A copy has neither disclosures nor copies, and of cosignatures one record.
COPY_GAPS: Final = (
    (b"", b"e"),
    (b"f", b"p"),
    (b"q", b"r"),
    (b"s", b"t"),
    (b"u", b"w"),
    (b"w\x00", b"z"),
    (b"z\x00", None),
)


class KeyCheck:
    """One pass over the keys."""

    def __init__(self, ledger: Ledger, report: Report, gaps: Sequence[tuple[bytes, bytes | None]] = OWN_GAPS) -> None:
        self._gaps = gaps
        self._ledger = ledger
        self._store = ledger.store
        self._state = ledger.state
        self._report = report

    def disclosures(self, disclosures: Disclosures | None) -> None:
        """Every disclosure is whole and opens the commitment of its entry; where its key is not here it is counted."""
        for key, value in self._store.range(keyspace.DISCLOSURE, after(keyspace.DISCLOSURE)):
            try:
                index, field = keyspace.parse_place_in_entry(key)
                sealed = Sealed(value, self._store.get(keyspace.data_key(index, field)))
                check_disclosure(self._ledger, disclosures, index, field, sealed)
                self._report.unopened += disclosures is None
            except (TallystickError, DecodeError, ValueError) as error:
                place = f"disclosure under key {key.hex()}"
                self._report.add(place, "the value and salt that were committed", str(error))
        for key, _ in self._store.range(keyspace.DATA_KEY, after(keyspace.DATA_KEY)):
            if self._store.get(keyspace.DISCLOSURE + key[1:]) is None:
                self._report.add(f"data key under key {key.hex()}", "the disclosure that it opens", "none")
        self._erased()

    def _erased(self) -> None:
        """Nothing is there that was erased, and nothing is noted as erased that was not."""
        places = {keyspace.place_in_entry(*each) for each in erased(self._ledger)}
        for place in sorted(places):
            if self._store.get(keyspace.DISCLOSURE + place) is not None:
                self._report.add(f"disclosure under key d{place.hex()}", "none, since it was erased", "one")
        for key, value in self._store.range(keyspace.ERASED, after(keyspace.ERASED)):
            if key[1:] not in places or value:
                self._report.add(f"key {key.hex()}", "no such key", "one")

    def strays(self) -> None:
        """Segments, tiles and keys that nothing explains."""
        self._segments()
        known = {keyspace.tile(level, number) for level, number in full_tiles(self._state.size)}
        for key, value in self._store.range(keyspace.TILE, b"u"):
            if key not in known:
                self._report.add(f"tile under key {key.hex()}", "no such tile", "one")
            elif len(value) != TILE_WIDTH * HASH_BYTES:
                self._report.add(f"tile under key {key.hex()}", "256 hashes", f"{len(value)} bytes")
        for start, stop in self._gaps:
            for key, _ in self._store.range(start, stop):
                self._report.add(f"key {key.hex()}", "no such key", "one")

    def _segments(self) -> None:
        """Each segment begins where the one before it ended, and none beyond the ledger's end."""
        due = 0
        for key, value in self._store.range(keyspace.SEGMENT, b"f"):
            first = keyspace.segment_first(key)
            if len(key) != len(keyspace.segment(0)) or first != due or first >= self._state.size:
                expected = f"one that begins at #{due}" if due < self._state.size else "none beyond the ledger's end"
                self._report.add(f"segment under key {key.hex()}", expected, f"#{first}")
            due = first + len(self._ledger.decode_segment(first, value))
