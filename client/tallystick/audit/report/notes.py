"""Notes: where the figures of a page lead. A figure links to a numbered note, and the note lists the entries behind it.

On paper the number in brackets at the end of a row is what leads there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tallystick.audit.report.figures import Figure
from tallystick.audit.report.markup import Html, h, join
from tallystick.audit.words import Words


class Note:
    """One note: what its figures are of. Its number is 0 where none of them counts anything, and it is not printed."""

    def __init__(self, number: int) -> None:
        self.number = number

    def figure(self, figure: Figure) -> Html:
        """The count, leading to the note."""
        return self.lead(f"{figure.count:,}") if figure.count else h("span", "0", class_="none")

    def lead(self, said: str) -> Html:
        """Anything said by the figures, leading to the note."""
        return h("a", said, href=f"#n{self.number}") if self.number else h("span", said)

    def mark(self) -> Html:
        """The note's number, to close a row with."""
        return h("a", f"[{self.number}]", href=f"#n{self.number}", class_="mark") if self.number else Html("")


class Notes:
    """The notes of a page, numbered as they are made."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._made: list[Html] = []

    def of(self, title: str, figures: Iterable[tuple[str, Figure]]) -> Note:
        """The note for some figures, each under what it is called."""
        counted = [(label, figure) for label, figure in figures if figure.count]
        if not counted:
            return Note(0)
        number = len(self._made) + 1
        lines = [self._line(label, figure) for label, figure in counted]
        self._made.append(h("li", h("h3", f"[{number}] {title}"), *lines, id=f"n{number}"))
        return Note(number)

    def section(self) -> Html:
        """Every note, in order."""
        say = self._words.say
        explained = say(
            "The entries behind each figure, by bureau and index. tally show shows any of them whole and verified. "
            "Two together are the two halves of an exchange, or what was owed and its answer.",
            "各数字所据条目，以“单位#序号”表示，可用 tally show 逐条核验查看。"
            "并列两条者，为一次交换的双方，或待办与其答复。",
        )
        if not self._made:
            return h("p", say("No figure counts anything.", "各数字均为零。"))
        return join([h("p", explained, class_="caption"), h("ol", *self._made, class_="notes")])

    def _line(self, label: str, figure: Figure) -> Html:
        say = self._words.say
        parts: list[Html | str] = [h("b", label), f" {figure.count:,}: ", references(figure.references)]
        if figure.cut:
            more = say(f" and {figure.cut:,} more", f" 等，余 {figure.cut:,} 项未列")
            by = say("; all by ", "；全部见 ") if figure.all_by else ""
            parts += [more, by, *([h("code", figure.all_by)] if figure.all_by else [])]
        return h("p", *parts)


def references(some: Sequence[str]) -> Html:
    """References one after the other; those of one thing stay together."""
    return join((h("span", each.replace(" ", " · "), class_="ref") for each in some), "  ")
