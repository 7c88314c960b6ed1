"""Printing: tables and facts for people, one JSON document for programs. All text passes `sanitise` here.

On a terminal tables are laid out by rich; elsewhere cells are separated by tabs, one row a line. Answers go to standard
output; remarks about them (`note`) to standard error, so that a pipe carries the answer alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from tallystick.core.safe_text import sanitise, sanitise_json

# Below this a file is hashed faster than a bar is drawn.
PROGRESS_FROM_BYTES = 64 * 1024 * 1024

# On a terminal a column of so many cells stays on one line; a wider one is folded, to no fewer than these.
_WHOLE_CELLS = 40
_FOLDED_CELLS = 30
# Where it is narrow, columns of so many, a day in either language, stay whole if the others can keep the least.
_SHORT_CELLS = (14, 10)
_LEAST_CELLS = 8

# Where a line may end: after a word, or after a letter of those that are two cells wide and what closes it.
_PIECES = re.compile(r"\s+|[\u2e80-\uffdc][，。；：、）”]*|[^\s\u2e80-\uffdc]+[，。；：、）”]*")


class Output:
    """Prints in one language, as text or as JSON."""

    def __init__(self, as_json: bool, language: str) -> None:
        self.json = as_json
        self.language = language

    def say(self, en: str, zh: str) -> str:
        """Whichever of the two the language is."""
        return zh if self.language == "zh" else en

    def line(self, text: str = "") -> None:
        """One line of the answer."""
        print(_within(sanitise(text), sys.stdout))

    def note(self, text: str) -> None:
        """A remark beside the answer."""
        print(_within(sanitise(text), sys.stderr), file=sys.stderr)

    def document(self, value: dict[str, Any], *, one_line: bool = False) -> None:
        """The answer as JSON."""
        # Where the output cannot carry every letter, JSON can still name them.
        ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        text = json.dumps(value, ensure_ascii=ascii_only, indent=None if one_line else 2, allow_nan=False)
        print(sanitise_json(text), flush=one_line)

    def table(self, header: Sequence[str] | None, rows: Sequence[Sequence[str]], *, kept: Collection[int] = ()) -> None:
        """A table, under a header if there is one; nothing where there are no rows. `kept` as `Table` has it."""
        if rows:
            Table(header or ("",) * len(rows[0]), show_header=header is not None, kept=kept).print(rows)

    def facts(self, facts: Sequence[tuple[str, str | Sequence[str]]]) -> None:
        """Labels and what they say, one fact a line; several values of one label below each other."""
        rows = []
        for label, said in facts:
            values = [said] if isinstance(said, str) else list(said)
            rows += [(label if first == 0 else "", value) for first, value in enumerate(values)]
        if sys.stdout.isatty():
            _facts_on_terminal([(sanitise(label), sanitise(value)) for label, value in rows])
        else:
            self.table(None, rows)


def _within(text: str, stream: TextIO) -> str:
    """A text in lines no wider than the terminal it goes to; as it is elsewhere."""
    if not stream.isatty():
        return text
    from rich.console import Console

    return "\n".join(_folded(text, Console(file=stream).width))


def _facts_on_terminal(rows: list[tuple[str, str]]) -> None:
    """Two columns, of which the second alone is folded; a key that is wider than it can still be copied whole."""
    from rich.cells import cell_len, set_cell_size
    from rich.console import Console

    indent = max((cell_len(label) for label, _ in rows), default=0) + 2
    for label, value in rows:
        for number, line in enumerate(_folded(value, max(_LEAST_CELLS, Console().width - indent))):
            print(set_cell_size(label if number == 0 else "", indent) + line)


def _folded(text: str, width: int) -> list[str]:
    """A text in lines of so many cells at most, each ended where a reader would.

    A word wider than that stays whole, for it may be copied.
    """
    from rich.cells import cell_len

    lines = [""]
    for piece in _PIECES.findall(text):
        if cell_len(lines[-1]) + cell_len(piece.rstrip()) > width and lines[-1].strip():
            lines[-1] = lines[-1].rstrip()
            lines.append("" if piece.isspace() else piece)
        else:
            lines[-1] += piece
    return lines


class Table:
    """Rows under one header, in several goes: the first decides how wide columns are.

    The columns `kept`, by number from 0, are never folded, for they may be copied: where they leave the others no room,
    the table is wider than the terminal.
    """

    def __init__(self, header: Sequence[str], *, show_header: bool = True, kept: Collection[int] = ()) -> None:
        self._header = header
        self._kept = kept
        self._show_header = show_header
        self._widths: list[int] = []

    def print(self, rows: Sequence[Sequence[str]]) -> None:
        """Print more rows."""
        safe = [[sanitise(cell) for cell in row] for row in rows]
        if sys.stdout.isatty():
            self._print_on_terminal(safe)
            return
        for row in safe:
            print("\t".join(row))
        sys.stdout.flush()

    def _print_on_terminal(self, rows: list[list[str]]) -> None:
        from rich.cells import cell_len
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text

        first_go = not self._widths
        if first_go:
            measured = [self._header, *rows] if self._show_header else rows
            self._widths = [max(cell_len(row[column]) for row in measured) for column in range(len(self._header))]
        console = Console(highlight=False, markup=False, emoji=False)
        console.width = max(console.width, self._least_width(0) if self._kept else 0)
        table = RichTable(box=None, pad_edge=False, show_header=self._show_header and first_go, header_style="bold")
        *others, last = self._widths
        least = sum(
            width if width <= _WHOLE_CELLS or number in self._kept else _FOLDED_CELLS
            for number, width in enumerate(others)
        ) + min(last, _FOLDED_CELLS)
        # Where there is no room, columns are folded, the short ones last; else the last would be left out.
        roomy = least + 2 * len(others) <= console.width
        spared = next((cells for cells in _SHORT_CELLS if self._least_width(cells) <= console.width), 0)
        for number, (title, width) in enumerate(zip(self._header, self._widths, strict=True)):
            kept = number in self._kept
            whole = kept or (number < len(others) if roomy else width <= spared)
            table.add_column(
                title,
                min_width=(width if kept else min(width, _FOLDED_CELLS)) if whole else 0,
                overflow="fold",
                no_wrap=kept or (whole and width <= _WHOLE_CELLS),
            )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console.print(table)

    def _least_width(self, short: int) -> int:
        """How wide the table is where columns up to so many cells are left whole, and those that are kept."""
        cells = (
            width if width <= short or number in self._kept else min(width, _LEAST_CELLS)
            for number, width in enumerate(self._widths)
        )
        return sum(cells) + 2 * (len(self._widths) - 1)


def seen_remarks() -> bool:
    """Whether somebody sees at once what is said on standard error."""
    return sys.stderr.isatty()


@contextmanager
def progress_bar(title: str, total: int, *, of_bytes: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error, moved by what this gives (done, total); None where nobody would see it."""
    if not seen_remarks() or total < (PROGRESS_FROM_BYTES if of_bytes else 1):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn() if of_bytes else MofNCompleteColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(sanitise(title), total=total)
        yield lambda done, of: progress.update(task, completed=done, total=of)
