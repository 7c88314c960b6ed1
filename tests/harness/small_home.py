"""A bureau's home as `tallyd init` makes it, on a free port, to be opened in this process; and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.core.charter import Name
from tallystick.sdk.clock import now_us
from tallystick_node import doctor
from tallystick_node.cluster.ports import HOST, held_ports
from tallystick_node.config import Settings
from tallystick_node.home import SETTINGS, Wish, make_home


def new_home(folder: Path, bureau: str = "market", *, in_the_clear: bool = False) -> Settings:
    """A founded home under a charter of its own: three entries, and a profile for `clerk` beside the settings."""
    with held_ports(1) as (port,):
        name = Name(zh="市场监督管理局", en="Market Regulation Bureau")
        wish = Wish(
            bureau, f"pudong.example/{bureau}", name, "11310115000000019X", f"{HOST}:{port}", in_the_clear=in_the_clear
        )
        make_home(folder, wish, own_charter=True)
    path = folder / SETTINGS
    path.write_text(path.read_text().replace("stop_grace_s = 10.0", "stop_grace_s = 0.5"))
    return Settings.load(path)


def loaded(home: Path) -> Settings:
    """Its settings as they stand in the file now."""
    return Settings.load(home / SETTINGS)


@contextmanager
def checked_home(home: Path) -> Iterator[Path]:
    """A new home in a folder, whose ledger is sound afterwards."""
    new_home(home)
    yield home
    assert doctor.run(loaded(home)).clean


class Clock:
    """This machine's, and as far ahead as a test says."""

    ahead_us = 0

    def __call__(self) -> int:
        return now_us() + self.ahead_us
