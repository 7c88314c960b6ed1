"""Who is closed, and before which moment: what came only later is nothing that a closed bureau could do anything about.

Where the moment is not known (`core.closing`), it lies before every other, and nothing is held against that bureau.
"""

from __future__ import annotations

from tallystick.audit.coverage import Coverage
from tallystick.audit.views.view import View
from tallystick.core.closing import Closing


class Closings(View):
    """The closings that a client knows of. `begin` with the coverage, before the first entry."""

    def __init__(self) -> None:
        self._of: dict[str, Closing] = {}

    def begin(self, coverage: Coverage) -> None:
        """Know who is closed."""
        self._of = {closing.bureau: closing for closing in coverage.closings}

    def before(self, bureau: str, at_us: int) -> Closing | None:
        """The closing of a bureau that was closed before a moment, or may have been; None where it was open then."""
        closing = self._of.get(bureau)
        return closing if closing is not None and closing.since_us < at_us else None
