"""Writes `docs/statements.md`, what can be recorded, from the options in `statement.proto`. Called by
`scripts/proto`.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from google.protobuf.descriptor import FieldDescriptor

from tallystick.core.kinds import HEAD, KINDS, Kind, Use, enum_label, field_options, role_label
from tallystick_proto.v1.meta_pb2 import Reader

TITLE = """# What is recorded

<!-- Written by scripts/proto from proto/tallystick_proto/v1/statement.proto. Do not edit. -->

Every statement has a head, the same for every kind, and says one thing. A field whose absence an audit reports is never
required. Sensitive fields hold a commitment; their values never stand on a ledger.

The SDK's method for a kind is its *verb*; its keywords are the names below. `required` fields must be there, `†rule`
names the finding that reports their absence.
"""


def bounds(use: Use) -> str:
    """A field's bounds in words."""
    field, options = use.field, use.options
    parts = []
    if field.enum_type is not None:
        parts.append(
            " / ".join(
                enum_label(field.enum_type, v.number, "en")
                for v in field.enum_type.values
                if v.name[-11:] != "UNSPECIFIED"
            )
        )
    elif field.message_type is not None:
        parts.append(field.message_type.name)
    elif options.format:
        parts.append(options.format.replace("_", " "))
    elif options.len:
        parts.append(f"{options.len} bytes")
    elif options.max_len:
        unit = "characters" if field.type == FieldDescriptor.TYPE_STRING else "bytes"
        parts.append(f"at most {options.max_len} {unit}")
    else:
        parts.append({FieldDescriptor.TYPE_BOOL: "yes or no"}.get(field.type, "number"))
    if field.is_repeated:
        parts.append(f"up to {options.max_items}")
    if options.sensitive:
        shown_to = (enum_label(Reader.DESCRIPTOR, reader, "en") for reader in options.shown_to)
        parts.append(f"sensitive, shown to {' / '.join(shown_to)}")
    if use.required:
        parts.append("required")
    if use.absent:
        parts.append(f"†{use.absent}")
    return ", ".join(parts)


def section(kind: Kind) -> str:
    """One kind."""
    roles = ", ".join(role_label(role, "en") for role in sorted(kind.roles))
    lines = [
        f"### {kind.name} {kind.number} · {kind.zh}",
        "",
        f"{kind.en.capitalize()}. Stands for {kind.term}. Signed by: {roles}. Verb: `{kind.verb}`.",
        "",
        "| name | 中文 | where | what it takes |",
        "|---|---|---|---|",
    ]
    for use in kind.uses:
        if use.in_head and field_options(use.field).always and not use.absent:
            continue
        where = f"head.{use.field.name}" if use.in_head else use.field.name
        lines.append(f"| {use.name} | {use.zh} | {where} | {bounds(use)} |")
    if lines[-1].startswith("|---"):
        del lines[-3:]
    return "\n".join(lines)


def main(target: Path) -> None:
    """Write the page."""
    always = ", ".join(f"`{f.name}` ({field_options(f).zh})" for f in HEAD.fields if field_options(f).always)
    terms = ", ".join(f"`{f.name}`" for f in HEAD.fields if field_options(f).term)
    parts = [TITLE, f"Every kind may carry {always}.\n\nIndex terms: {terms}, and the submission id."]
    for name, kinds in groupby(KINDS.values(), key=lambda kind: kind.section):
        parts.append(f"## {name.capitalize()}")
        parts += [section(kind) for kind in kinds]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
