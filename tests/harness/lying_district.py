"""Several bureaus whose nodes serve in this process, over real sockets, and lie where a test tells them to.

What is said is composed, signed and recorded as by any client. An auditor's profile trusts the charter of them all.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from structlog.testing import capture_logs

from tallystick.core.hashing import leaf_hash, parse_digest
from tallystick.sdk.clock import now_us
from tallystick.sdk.wire import Wire
from tallystick_node.cluster.ports import HOST, held_ports
from tallystick_node.first_charter import sign_first_charter
from tallystick_proto.v1.ledger_pb2 import SubmitRequest
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office, key_of
from tests.harness.versions import CLIENTS, HOLDER


class LyingDistrict:
    """Bureaus by id. Use as a context; every node may be bent through `node(bureau).lies` at any time."""

    def __init__(self, folder: Path, *bureaus: str) -> None:
        self.profile = folder / "auditor.toml"
        self._folder = folder
        self._offices = {bureau: Office(bureau, now_us=now_us()) for bureau in bureaus}
        self._nodes: dict[str, LyingNode] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(capture_logs())  # kept out of what commands print in this process
            ports = dict(zip(self._offices, opening.enter_context(held_ports(len(self._offices))), strict=True))
            for bureau, office in self._offices.items():
                office.bureau = msgspec.structs.replace(office.bureau, endpoint=f"{HOST}:{ports[bureau]}")
            stanzas = [office.bureau for office in self._offices.values()]
            note, digest = sign_first_charter("pudong", stanzas, HOLDER, key_of(CLIENTS), now_us())
            (self._folder / "charter.note").write_bytes(note)
            for bureau, office in self._offices.items():
                home = self._folder / bureau
                home.mkdir()
                office.adopts = parse_digest(digest)
                self._nodes[bureau] = opening.enter_context(LyingNode(Home(home, office), port=ports[bureau]))
            self.profile.write_text(f'charter = "charter.note"\ncharter_digest = "{digest}"\nstate = "state"\n')
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def node(self, bureau: str) -> LyingNode:
        return self._nodes[bureau]

    def office(self, bureau: str) -> Office:
        return self._offices[bureau]

    def say(self, bureau: str, kind: str, /, *, by: str = "clerk", **values: object) -> Ref:
        """Record one statement; the citation of its entry."""
        office, node = self._offices[bureau], self._nodes[bureau]
        wire = Wire(node.bureau)
        try:
            receipt = wire.submit(SubmitRequest(submission=office.submission([office.say(kind, by, **values)], by)))
        finally:
            wire.close()
        leaf = leaf_hash(node.sequencer.ledger.entry(receipt.first))
        return Ref(origin=office.origin, index=receipt.first, leaf=leaf)
