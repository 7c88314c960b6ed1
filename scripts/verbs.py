"""Writes the SDK's typed surface, one method a statement kind, from the options in `statement.proto`.

Called by `scripts/proto`; the result is checked in, so that type checkers and readers see it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from google.protobuf.descriptor import FieldDescriptor

from tallystick.core.compose import keywords_of
from tallystick.core.kinds import KINDS, Kind, Use

HEADER = '''"""One method a statement kind, derived by `scripts/proto` from `statement.proto`. Do not edit.

What each parameter takes is said in `tallystick.core.values`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from tallystick.core.compose import Sensitive
from tallystick_proto.v1 import statement_pb2 as pb

Said = TypeVar("Said")


class HasRef(Protocol):
    """Anything that can be cited, such as a receipt."""

    @property
    def ref(self) -> pb.Ref: ...


class HasVersion(Protocol):
    """Anything that speaks of one version, such as the receipt of its providing."""

    @property
    def version_ref(self) -> str: ...


class Verbs(ABC, Generic[Said]):
    """What can be said. `_say` decides what becomes of it: a receipt now, or one later."""

    @abstractmethod
    def _say(self, kind: str, values: dict[str, object]) -> Said: ...
'''


def type_of(use: Use) -> str:
    """The Python type a keyword takes."""
    one = _one(use)
    return f"Sequence[{one}]" if use.field.is_repeated else one


def _one(use: Use) -> str:
    field = use.field
    if use.options.sensitive:
        return "Sensitive"
    if field.message_type is not None:
        nested = field.message_type.containing_type
        name = f"pb.{nested.name}.{field.message_type.name}" if nested else f"pb.{field.message_type.name}"
        extra = {"Ref": "HasRef", "Digest": "str", "Basis": "str"}.get(field.message_type.name, "")
        return " | ".join(part for part in (name, extra, "Mapping[str, object]") if part)
    if field.enum_type is not None:
        return "str"
    match use.options.format:
        case "moment":
            return "datetime | int"
        case "day":
            return "date | str"
        case "version_ref":
            return "str | HasVersion"
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return "str"
        case FieldDescriptor.TYPE_BYTES:
            return "bytes | UUID | str" if field.name in ("exchange", "case") else "bytes"
        case FieldDescriptor.TYPE_BOOL:
            return "bool"
    return "int"


def method(kind: Kind) -> str:
    """The source of one kind's method."""
    uses = keywords_of(kind)
    # What a statement is mostly about: the head field its options name first.
    positional = [use for use in kind.uses[:1] if use.in_head and use.name not in ("kind", "actor")]
    lines = [f"    def {kind.verb}(", "        self,"]
    lines += [
        f"        {use.name}: {type_of(use)}" + ("," if use.required else " | None = None,") for use in positional
    ]
    lines.append("        *,")
    for use in uses:
        if use not in positional:
            lines.append(f"        {use.name}: {type_of(use)}" + ("," if use.required else " | None = None,"))
    lines.append("    ) -> Said:")
    lines.append(f'        """{kind.name}, {kind.zh}: {kind.en} ({kind.term})."""')
    values = ", ".join(f'"{use.name}": {use.name}' for use in [*positional, *(u for u in uses if u not in positional)])
    lines.append(f'        return self._say("{kind.name}", {{{values}}})')
    return "\n".join(lines)


def main(target: Path) -> None:
    """Write the module, formatted as the rest is."""
    source = HEADER + "\n" + "\n\n".join(method(kind) for kind in KINDS.values()) + "\n"
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--line-length", "120", "-"],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    target.write_text(formatted.stdout, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
