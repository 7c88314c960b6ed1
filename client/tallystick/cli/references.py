"""What an argument may look like that names an entry, a version or a finding, or a charter by its digest: read before
anything is asked of anybody.

A text of another form is a wrong call; what has the form and is not there is not found.
"""

from __future__ import annotations

from abc import abstractmethod

import click

from tallystick.core.errors import InvalidIdentifier


class _Reference(click.ParamType[str]):
    """The text itself, once it was read."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            self.read(value)
        except InvalidIdentifier as error:
            self.fail(str(error), param, ctx)
        return value

    @abstractmethod
    def read(self, text: str) -> None:
        """Raises InvalidIdentifier."""


class EntryReference(_Reference):
    """`taxation#1088`."""

    name = "reference"

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import parse_entry_ref

        parse_entry_ref(text)


class VersionReference(_Reference):
    """`SCJG-0012@2027-03`."""

    name = "version"

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import parse_version_ref

        parse_version_ref(text)


class Digest(_Reference):
    """`blake3:9f2c…`, of a charter's text."""

    name = "digest"

    def read(self, text: str) -> None:
        from tallystick.core.hashing import parse_digest

        parse_digest(text)


class BureauOrEntry(EntryReference):
    """A bureau, or one entry of its ledger. Whether there is such a bureau, the charter says."""

    def read(self, text: str) -> None:
        if "#" in text:
            super().read(text)


class EntryOrFinding(EntryReference):
    """An entry, or the id of an audit's finding."""

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import check_finding_id

        if names_finding(text):
            check_finding_id(text)
        else:
            super().read(text)


def names_finding(text: str) -> bool:
    """Whether a text is meant for a finding's id: no bureau's has a capital letter."""
    return text.startswith("F-")
