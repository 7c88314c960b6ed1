"""Writes `docs/access.md`, who may do what, from the node's table of access and the options in `statement.proto`.
Called by `scripts/proto`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from tallystick.core.kinds import KINDS, SENSITIVE, enum_label, role_label
from tallystick_node.access import ROWS, Column, may, may_record, shown_to
from tallystick_proto.v1.meta_pb2 import Reader, Role

TITLE = """# Who may do what

<!-- Written by scripts/proto from node/tallystick_node/access.py and the options in statement.proto. Do not edit. -->

A node finds out as what somebody calls it, and looks that up here. Nothing else in it decides.

- *Own* is of the bureau whose node is called. Its actor needs a certificate that its bureau's authority issued *and* a
  key that its ledger registered and has not revoked, at each call and at each message of a stream (health's `Watch`,
  which says whether the node serves, is looked at once). A certificate from before a key of that actor was compromised,
  as its revocation says, counts no more.
- Of another bureau's actor its authority alone says who it is; the name `node` is that bureau's node.
- An observer registers nobody: at its own node its readers count as another bureau's actors.
- An auditor is in the charter. A closed bureau is nobody's; for a suspended one is read still, and it records nothing.
- *In the clear* is whoever reaches a listener that asks for no certificate; such a one listens on loopback alone.
- Whoever has no column (no certificate, one that no authority of the charter issued or that names another's party, an
  actor that is not registered or is revoked) is refused every call with one status and the same words, before
  anything that it sends is read. Without a certificate, or with one that no authority of the charter issued, no call
  comes so far: the handshake fails.
"""

CALLS = """## Calls

`Backup` asks besides for the token that stands in the node's home. A witness calls `Cosign` in its own name only.
"""

KIND_TITLE = """## Statement kinds

A submission comes from its own bureau, and is signed by a key of one of its actors: the role under which *that* key is
registered says what it may record, whoever carries it there. What the node says itself it records without a call.
"""

SEEN_TITLE = """## Disclosures

What opens the commitment in a sensitive field may be seen by these, and each view is recorded. An *addressee* is an
actor of the bureau that the entry's head names as its counterparty. In the clear one is an own officer and system, and
no more.
"""


def row(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A table whose first column is text and whose others are marks."""
    return "\n".join([row(head), row(["---", *[":-:"] * (len(head) - 1)]), *map(row, rows)])


def mark(allowed: bool) -> str:
    """What stands in a cell."""
    return "✓" if allowed else ""


def calls() -> Iterable[str]:
    """A table a service."""
    columns = list(Column)
    for service, rpcs in groupby(ROWS, key=lambda rpc: rpc.partition("/")[0]):
        rows = [[f"`{rpc.partition('/')[2]}`", *(mark(may(column, rpc)) for column in columns)] for rpc in rpcs]
        yield table([service, *(column.value for column in columns)], rows)


def kinds() -> Iterable[str]:
    """A table a section."""
    roles = [role.number for role in Role.DESCRIPTOR.values if role.number]
    for section, group in groupby(KINDS.values(), key=lambda kind: kind.section):
        rows = [[f"{kind.name} {kind.zh}", *(mark(may_record(role, kind)) for role in roles)] for kind in group]
        yield table([section, *(role_label(role, "en") for role in roles)], rows)


def seen() -> str:
    """A row a sensitive field."""
    readers = [reader.number for reader in Reader.DESCRIPTOR.values if reader.number]
    rows = [[f"`{field}`", *(mark(reader in shown_to(field)) for reader in readers)] for field in SENSITIVE]
    return table(["field", *(enum_label(Reader.DESCRIPTOR, reader, "en") for reader in readers)], rows)


def main(target: Path) -> None:
    """Write the page."""
    parts = [TITLE, CALLS, *calls(), KIND_TITLE, *kinds(), SEEN_TITLE, seen()]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
