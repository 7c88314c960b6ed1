"""Groups whose commands are imported when they are called: help and completion import click and nothing else.

A command stands here as its name, where it is found (`module:attribute`) and one short sentence; help lists it by
section.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import click
from click.shell_completion import CompletionItem

_SECTION_WIDTH = 14


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command by name. `inner` names the commands of a group as help lists them."""

    name: str
    place: str
    short: str
    inner: str = ""


class LazyGroup(click.Group):
    """A group in sections; `closing` is the last line of its help."""

    def __init__(self, *, sections: Sequence[tuple[str, Sequence[Lazy]]], closing: str, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._sections = sections
        self._closing = closing
        self._lazy = {lazy.name: lazy for _, section in sections for lazy in section}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        lazy = self._lazy.get(cmd_name)
        if lazy is None:
            return None
        module, _, attribute = lazy.place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self._lazy and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command {args[0]!r}{_meant(args[0], self._lazy)}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [
            CompletionItem(name, help=lazy.short) for name, lazy in self._lazy.items() if name.startswith(incomplete)
        ]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        for title, section in self._sections:
            words = (f"{lazy.name} {lazy.inner}" if lazy.inner else lazy.name for lazy in section)
            formatter.write(f"{title:<{_SECTION_WIDTH}}{'  '.join(words)}\n")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        formatter.write(f"{self._closing}\n")


def _meant(given: str, names: Sequence[str] | dict[str, Lazy]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(given, list(names), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
