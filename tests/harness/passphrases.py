"""Passphrases as a program is told them."""

from __future__ import annotations

import os


def told(line: str) -> int:
    """A file descriptor from which a line comes, and then nothing; whoever reads it need not close it."""
    here, there = os.pipe()
    os.write(there, line.encode())
    os.close(there)
    return here
