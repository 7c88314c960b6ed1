"""The `tally` command, for stories that are told through it."""

from __future__ import annotations

from tests.cli.conftest import tally

__all__ = ["tally"]
