"""A node's page of metrics, as whoever collects them reads it."""

from __future__ import annotations

import urllib.request

import msgspec

from tallystick_node import config
from tallystick_node.cluster.ports import HOST
from tallystick_node.config import Settings

_DEADLINE_S = 20.0


def showing_metrics(settings: Settings, port: int) -> Settings:
    """The same settings, with a page of metrics at a port."""
    changed = msgspec.structs.replace(settings.config, metrics=config.Metrics(listen=f"{HOST}:{port}"))
    Settings(settings.path, changed).save()
    return Settings.load(settings.path)


def metrics_at(port: int) -> dict[str, float]:
    """What the page says, by each series' name and labels."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=_DEADLINE_S) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
