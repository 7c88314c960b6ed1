"""A single statement that is recorded and not yet witnessed is kept as a recorder keeps its batches."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tallystick.core.errors import Overloaded
from tallystick.sdk.node import Node
from tallystick.sdk.spool import Spool
from tests.harness.witnessed_bench import WitnessedBench, codes, witnessed_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WitnessedBench]:
    """Four witnesses, of which three are a quorum."""
    with witnessed_bench(tmp_path, 4) as made:
        yield made


def say(node: Node, code: str) -> int:
    return node.declare(code, scheme="local", title=code, sharing="unconditional").index


def test_it_stays_until_it_is_witnessed(bench: WitnessedBench) -> None:
    """What was recorded before and is witnessed by now goes as the next program closes; what is not stays."""
    with bench.client() as node:
        say(node, "A")
    assert len(bench.spooled()) == 1
    bench.hear(3)
    with bench.client() as node:
        say(node, "B")
    assert len(bench.spooled()) == 1
    bench.hear(3)
    with bench.client() as node:
        list(node.entries())
    assert len(bench.spooled()) == 1  # who only reads sees to nothing
    bench.recorder().close()
    assert not bench.spooled()
    assert bench.codes() == ["A", "B"]


def test_a_long_session_lets_go_of_what_is_witnessed(bench: WitnessedBench) -> None:
    """Now and then, before it records; nothing gathers as long as witnesses cosign."""
    with bench.client() as node:
        for code in codes(4):
            say(node, code)
            bench.hear(3)
            node._singles._settling.due_at = 0.0
            assert len(bench.spooled()) == 1


@pytest.mark.parametrize("witnesses", [0, 1])
def test_without_a_quorum_in_the_charter_it_is_not_kept(tmp_path: Path, witnesses: int) -> None:
    """Recorded is then enough."""
    with witnessed_bench(tmp_path, witnesses) as bench, bench.client() as node:
        say(node, "A")
        assert not bench.spooled()


def test_a_ledger_that_was_put_back_is_sent_it_again(bench: WitnessedBench) -> None:
    """By whoever records next, once, whether or not its own statement was lost with it."""
    with bench.client() as node:
        for code in codes(3):
            say(node, code)
    bench.put_back(4)
    with bench.client() as node:
        say(node, "new")
    assert sorted(bench.codes()) == [*codes(3), "new"]
    bench.hear(3)
    bench.recorder().close()
    assert sorted(bench.codes()) == [*codes(3), "new"]
    assert not bench.spooled()


def test_a_spool_that_is_full_of_what_is_not_witnessed_takes_no_more(
    bench: WitnessedBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is then recorded, and the sentence says why; once witnesses have cosigned it goes on."""
    monkeypatch.setattr("tallystick.sdk.node.Spool", partial(Spool, submissions_max=2))
    with bench.client() as node:
        say(node, "A")
        say(node, "B")
        with pytest.raises(Overloaded, match="2 submissions are recorded and not yet witnessed"):
            say(node, "C")
        bench.hear(3)
        assert say(node, "D") == 5
    assert bench.codes() == ["A", "B", "D"]
