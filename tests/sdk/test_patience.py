"""A node that was silent is not waited for in full again by the same command, and by nobody else the less."""

from __future__ import annotations

from contextlib import closing
from threading import Event
from types import SimpleNamespace

import pytest

from tallystick.core.bureau import Bureau
from tallystick.core.errors import NotFound, Starting, TallystickError, Unreachable
from tallystick.sdk import patience as patience_
from tallystick.sdk.patience import SILENCE_MAX_S, Patience
from tallystick.sdk.wire import Wire
from tests.harness.office import Office
from tests.harness.silent import Silent
from tests.harness.waiting import WAIT_S

DEADLINE_S = 1.2
"""Long enough to count as silence, and two of it as more than `AT_MOST_S`."""
AT_MOST_S = 2.0
NODE = Office().bureau


class Clock:
    """A monotonic clock that goes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(patience_, "time", SimpleNamespace(monotonic=lambda: self.now))

    def call(self, patience: Patience, after_s: float, error: TallystickError | None, node: Bureau = NODE) -> float:
        """One call that ends after so long, and how long it was given at most."""
        with patience.waiting(node, 30.0) as wait_s:
            self.now += after_s
            if error is not None:
                raise error
            return wait_s

    def fail(self, patience: Patience, after_s: float, error: TallystickError | None = None) -> None:
        with pytest.raises(TallystickError):
            self.call(patience, after_s, error or silence())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def silence(node: Bureau = NODE) -> Unreachable:
    return Unreachable("no answer in time", where=f"{node.id} at {node.endpoint}", expected="an answer")


@pytest.mark.parametrize("call", ["checkpoint", "read_entries"], ids=["call", "stream"])
def test_a_node_that_hung_is_not_called_again(call: str) -> None:
    """A socket that takes connections and never says a word is waited for once, and named once more without a call."""
    patience = Patience(AT_MOST_S)
    with Silent() as silent:
        wires = [Wire(silent.of(NODE), DEADLINE_S, patience=patience) for _ in range(2)]
        said = []
        for wire in (wires[0], wires[0].to(wires[0].bureau), wires[1]):
            with closing(wire), pytest.raises(Unreachable) as caught:
                wire.checkpoint(0) if call == "checkpoint" else next(wire.read_entries(0, 1, 1))
            said.append(str(caught.value))
        assert silent.called == 1
        assert said == [f"market at {silent.endpoint}: no answer in time; expected an answer before the deadline"] * 3


def test_a_program_that_stays_calls_a_node_again_each_time() -> None:
    """Nothing is held against a node by who was given no bound: however often it hung, it is called again."""
    with Silent() as silent:
        for number in range(2):
            with closing(Wire(silent.of(NODE), DEADLINE_S)) as wire, pytest.raises(Unreachable):
                wire.checkpoint(0)
            assert silent.called == number + 1


def test_what_is_left_is_waited_for_and_then_nothing(clock: Clock) -> None:
    """A short silence leaves a node the rest of the bound; after that a call fails by what the last one failed by."""
    patience = Patience(SILENCE_MAX_S)
    clock.fail(patience, 5.0)
    given: list[float] = []

    def wait_in_vain() -> None:
        with patience.waiting(NODE, 30.0) as wait_s:
            given.append(wait_s)
            clock.now += wait_s
            raise silence()

    with pytest.raises(Unreachable):
        wait_in_vain()
    assert given == [SILENCE_MAX_S - 5.0]
    with pytest.raises(Unreachable, match="no answer in time"), patience.waiting(NODE, 30.0):
        pytest.fail("it was called")


def test_others_are_waited_for_as_ever(clock: Clock) -> None:
    """What one node does says nothing of another, nor does one command know of what another waited for."""
    patience, other = Patience(SILENCE_MAX_S), Office("taxation", endpoint="127.0.0.1:2").bureau
    clock.fail(patience, 30.0)
    assert clock.call(patience, 1.0, None, other) == 30.0
    assert clock.call(Patience(SILENCE_MAX_S), 1.0, None) == 30.0


@pytest.mark.parametrize(
    "error",
    [
        None,
        NotFound("nothing there"),
        Starting("too few witnesses"),
        Unreachable("no answer in time", where="taxation at 127.0.0.1:2"),
    ],
    ids=["answer", "refusal", "starting", "of-another"],
)
def test_an_answer_makes_up_for_silence(clock: Clock, error: TallystickError | None) -> None:
    """Whatever it says: a node that answers within what is left is waited for in full again."""
    patience = Patience(SILENCE_MAX_S)
    clock.fail(patience, 6.0)
    if error is None:
        clock.call(patience, 2.0, None)
    else:
        clock.fail(patience, 2.0, error)
    assert clock.call(patience, 0.0, None) == 30.0


def test_who_is_not_there_was_not_silent(clock: Clock) -> None:
    """A refused connection costs no time: the node is called again, and may have come back."""
    patience = Patience(SILENCE_MAX_S)
    for _ in range(100):
        clock.fail(patience, 0.1)
    assert clock.call(patience, 0.0, None) == 30.0


def test_what_is_waited_for_at_once_counts_once(clock: Clock) -> None:
    """Two calls side by side that both wait five seconds have shown five seconds of silence."""
    patience = Patience(SILENCE_MAX_S)

    def wait_in_vain() -> None:
        with patience.waiting(NODE, 30.0):
            clock.fail(patience, 5.0)
            raise silence()

    with pytest.raises(Unreachable):
        wait_in_vain()
    assert clock.call(patience, 0.0, None) == SILENCE_MAX_S - 5.0


def test_who_comes_while_another_has_waited_long_has_a_moment(clock: Clock) -> None:
    """It need not wait as long again to learn the same; one that comes sooner is given its whole deadline."""
    patience = Patience(SILENCE_MAX_S)
    with patience.waiting(NODE, 30.0):
        assert clock.call(patience, SILENCE_MAX_S, None) == 30.0
        assert clock.call(patience, 0.0, None) == 1.0
    assert clock.call(patience, 0.0, None) == 30.0


def test_it_is_said_once_for_whom_is_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many calls wait for a node, and not of one that answers."""
    monkeypatch.setattr(patience_, "SAID_AFTER_S", 0.01)
    said: list[str] = []
    heard = Event()

    def say(node: Bureau) -> None:
        said.append(node.id)
        heard.set()

    patience, other = Patience(AT_MOST_S, say), Office("taxation", endpoint="127.0.0.1:2").bureau
    with patience.waiting(NODE, 30.0):
        assert heard.wait(WAIT_S)
    heard.clear()
    with patience.waiting(NODE, 30.0), patience.waiting(other, 30.0):
        assert heard.wait(WAIT_S)
    assert said == ["market", "taxation"]
