"""What an argument may look like that names an entry, a version, a resource, a bureau, an actor, a key or a finding.

It is read before anything is asked of anybody. A text of another form is a wrong call; what has the form and is not
there is not found.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from tallystick.core.errors import InvalidIdentifier
from tallystick.sdk.arguments import Reference

META = "tallystick.cli."
"""Before the names under which a click context keeps the options that every command takes."""


class EntryReference(Reference):
    """`taxation#1088`."""

    name = "reference"

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import parse_entry_ref

        parse_entry_ref(text)


class VersionReference(Reference):
    """`SCJG-0012@2027-03`."""

    name = "version"

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import parse_version_ref

        parse_version_ref(text)


class Code(Reference):
    """`SCJG-0012`, of a resource."""

    name = "code"

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import check_resource_code

        check_resource_code(text)


class CodeOrVersion(VersionReference):
    """A resource's code, or a version of it. A system, a matter and a bureau are called as a resource may be."""

    def read(self, text: str) -> None:
        if "@" in text:
            super().read(text)
        else:
            Code().read(text)


class Label(Reference):
    """`2027-03`: a version, a system or a matter."""

    name = "label"

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import check_label

        check_label(text)


class Scheme(Reference):
    """`gb.21063-4`, which codes belong to."""

    name = "scheme"

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import check_scheme

        check_scheme(text)


class Actor(Reference):
    """`taxation:clerk`."""

    name = "actor"

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import check_actor

        check_actor(text)


class OwnActor(Actor):
    """An actor, or its name alone where the bureau is the profile's."""

    def read(self, text: str) -> None:
        try:
            super().read(text if ":" in text else f"own:{text}")
        except InvalidIdentifier as error:
            raise InvalidIdentifier(f"{text[:80]!r} is no actor's name", expected=error.expected) from None


class PublicKey(Reference):
    """A public key in hex."""

    name = "key"

    def read(self, text: str) -> None:
        from tallystick.core.limits import PUBLIC_KEY_BYTES

        with suppress(ValueError):
            if len(bytes.fromhex(text)) == PUBLIC_KEY_BYTES:
                return
        raise InvalidIdentifier(f"{text[:80]!r} is no public key", expected=f"{2 * PUBLIC_KEY_BYTES} hex digits")


class Committed(Reference):
    """`subject`, a field that an entry of some kind commits to, or its path."""

    name = "field"

    def read(self, text: str) -> None:
        from tallystick.core.kinds import SENSITIVE

        names = dict.fromkeys(path.rpartition(".")[2] for path in SENSITIVE)
        if text not in SENSITIVE and text not in names:
            raise InvalidIdentifier(f"{text[:80]!r} holds no commitment", expected=" or ".join(names))


class BureauId(Reference):
    """`market-regulation`. Whether there is such a bureau, the charter says."""

    name = "bureau"

    def read(self, text: str) -> None:
        from tallystick.core.identifiers import check_bureau_id

        check_bureau_id(text)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(bureau) for bureau in _bureaus(ctx) if bureau.startswith(incomplete)]


class BureauOrEntry(BureauId):
    """A bureau, or one entry of its ledger."""

    def read(self, text: str) -> None:
        if "#" in text:
            EntryReference().read(text)
        else:
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


def _bureaus(ctx: click.Context) -> list[str]:
    """The bureaus with a ledger in the profile's charter. On any error, none.

    Unverified: they only spare typing. What is no bureau's id is not offered, since it ends up on a command line.
    """
    from tallystick.core.identifiers import check_bureau_id
    from tallystick.core.toml_text import parse_toml

    def named(bureau: Any) -> Iterator[str]:
        with suppress(InvalidIdentifier, KeyError, TypeError):
            if "ledger_key" in bureau:
                yield check_bureau_id(bureau["id"])

    try:
        path = Path(ctx.meta.get(f"{META}profile") or os.environ["TALLYSTICK_PROFILE"])
        charter = path.parent / parse_toml(path.read_text())["charter"]
        text = charter.read_text().partition("\n\n\u2014 ")[0]
        return [id_ for bureau in parse_toml(text)["bureau"] for id_ in named(bureau)]
    except (OSError, ValueError, KeyError, TypeError):
        return []
