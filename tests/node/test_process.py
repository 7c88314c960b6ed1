"""A node's log is worth less than its ledger."""

from __future__ import annotations

import errno
import json
import os
import sys

import pytest
import structlog

from tallystick_node.config import Log
from tallystick_node.console import say
from tallystick_node.process import configure_log


class FullDisk:
    """A stream whose every write fails as on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_log_that_cannot_be_written_stops_nothing(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning on a full disk is lost, and the writer that wanted to say it goes on."""
    monkeypatch.setattr(sys, "stderr", FullDisk())
    before = structlog.get_config()
    try:
        configure_log(Log(form=form))  # type: ignore[arg-type]  # a parametrised literal
        structlog.get_logger().warning("reopening the database after a failed write")
    finally:
        structlog.configure(**before)


@pytest.mark.parametrize("form", ["console", "json"])
def test_what_others_wrote_acts_on_no_terminal(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An event, a value and an error's own words stay on their lines, with nothing that commands or hides in them."""
    before = structlog.get_config()
    words = "\x1b]0;owned\x07\x9b2J\n2027 forged\u202e\u3164"
    try:
        configure_log(Log(form=form))  # type: ignore[arg-type]  # a parametrised literal
        try:
            raise RuntimeError(words)
        except RuntimeError as error:
            structlog.get_logger().error(words, reason=words, error=error, exc_info=True)
    finally:
        structlog.configure(**before)
    logged = capsys.readouterr().err
    assert "owned" in logged
    assert not set("\x1b\x07\x9b\u202e\u3164") & set(logged)
    if form == "json":
        assert json.loads(logged)["reason"] == words
        assert logged.count("\n") == 1
    else:
        assert [line for line in logged.splitlines() if line.startswith("2027 forged")] == []


def test_the_last_word_acts_on_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """What a node says at its end is one line that shows what is there."""
    say("it is \x1b[2J\u202e\nforged")
    assert capsys.readouterr().err == "tallyd: it is \\x1b[2J\\u202e forged\n"


@pytest.mark.parametrize("form", ["console", "json"])
def test_no_value_of_a_variable_is_logged(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback names the lines and not what they worked on, which may be what a commitment hides."""
    before = structlog.get_config()

    def fail(subject: str) -> None:
        raise RuntimeError("broken")

    try:
        configure_log(Log(form=form))  # type: ignore[arg-type]  # a parametrised literal
        try:
            fail("citizen " + "1")
        except RuntimeError:
            structlog.get_logger().error("internal error", exc_info=True)
    finally:
        structlog.configure(**before)
    logged = capsys.readouterr().err
    assert "broken" in logged
    assert "test_process.py" in logged
    assert "citizen 1" not in logged
