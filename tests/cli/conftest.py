"""The `tally` command in this process, and a profile without a node behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tallystick.cli.main import main
from tallystick.core.charter import Bureau
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document it printed."""
        return json.loads(self.out)

    @property
    def jsons(self) -> list[Any]:
        """One document a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Tally = Callable[..., Said]


@pytest.fixture
def tally(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tally:
    """Runs one command, under a profile if one is given; a command that fails says why in one line."""
    monkeypatch.delenv("TALLYSTICK_PROFILE", raising=False)

    def run(*arguments: object, profile: Path | None = None) -> Said:
        capfd.readouterr()
        chosen = [] if profile is None else ["--profile", str(profile)]
        code = main([*chosen, *map(str, arguments)])
        said = Said(code, *capfd.readouterr())
        assert "Traceback" not in said.err
        assert "a fault of this program" not in said.err
        if code not in (0, 2):
            assert said.out or said.err.splitlines()[-1].startswith("tally: ")
        return said

    return run


@dataclass(frozen=True, slots=True)
class Bent:
    """A node that can be made to lie, and the profile that trusts its charter."""

    node: LyingNode
    profile: Path
    office: Office


@pytest.fixture
def bent(tmp_path: Path) -> Iterator[Bent]:
    """A node in this process with three entries, and a profile of its clerk."""
    from tallystick.sdk.clock import now_us

    folder = tmp_path / "bent"
    folder.mkdir()
    office = Office(now_us=now_us())
    with LyingNode(Home(folder, office)) as node:
        office.bureau = node.bureau
        note, digest = office.charter()
        node.stop()
        node.start()  # under the charter that says where it listens
        (folder / "charter.note").write_bytes(note)
        profile = folder / "profile.toml"
        profile.write_text(
            f'charter = "charter.note"\ncharter_digest = "{digest}"\nbureau = "market"\nstate = "state"\n'
        )
        yield Bent(node, profile, office)


@pytest.fixture
def copies_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No copy can be reached by this client: a ledger whose own node is away is shown by nobody."""
    from tallystick.sdk.wire import Wire

    def nowhere(own: Wire, node: Bureau, deadline_s: float | None = None) -> Wire:
        away = node if node == own.bureau else msgspec.structs.replace(node, endpoint="127.0.0.1:1")
        return Wire(own.bureau, deadline_s or own.deadline_s, away, own.credentials)

    monkeypatch.setattr(Wire, "to", nowhere)
