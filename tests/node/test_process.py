"""A node's log is worth less than its ledger."""

from __future__ import annotations

import errno
import os
import sys

import pytest
import structlog

from tallystick_node.config import Log
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
