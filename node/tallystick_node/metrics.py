"""What an operator watches of a running node, as Prometheus reads it: taken from the node whenever somebody asks.

A ledger is named by its bureau's id, a witness by its own. Sizes are numbers of entries, moments seconds since 1970.
A witness or a copy that is behind the size of the ledger, and stays there, is one to look at; so is a certificate that
ends soon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tallystick.core.errors import TallystickError
from tallystick_node.counts import DISK_ERRORS, REFUSED, ROUNDS, Count
from tallystick_node.engine import Engine
from tallystick_node.observer import Observer

_PREFIX: Final = "tallystick_"
_US: Final = 1_000_000


class _Asked(Collector):
    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()


class Metrics:
    """The metrics of a node. `certificate_ends_us` says when what it shows to others ends; None in the clear."""

    def __init__(self, engine: Observer, certificate_ends_us: Callable[[], int | None]) -> None:
        self._engine = engine
        self._certificate_ends_us = certificate_ends_us
        self._registry = CollectorRegistry()
        self._registry.register(_Asked(self._families))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """All of them, in Prometheus's text format. Use on the node's event loop."""
        return generate_latest(self._registry)

    def _families(self) -> Iterator[Metric]:
        engine = self._engine
        yield _gauge("records", "1 where submissions are taken now, else 0", int(engine.records))
        yield _gauge("charter_expires_seconds", "When the charter ends", engine.who.charter.expires_us / _US)
        ends_us = self._certificate_ends_us()
        if ends_us is not None:
            yield _gauge("certificate_expires_seconds", "When the certificate shown to others ends", ends_us / _US)
        if isinstance(engine, Engine):
            yield from self._ledger(engine)
        yield from self._copies()
        yield _gauge(
            "equivocations", "Ledgers of which two histories under one key are proven", len(engine.heard.proven.all())
        )
        yield _counter("calls_refused", "Calls refused, by the error they ended with", "error", REFUSED)
        yield _counter("disk_errors", "Errors of the disk, by their class", "error", DISK_ERRORS)
        yield _counter("gossip_rounds", "Rounds of gossip, done and failed", "outcome", ROUNDS)

    def _ledger(self, engine: Engine) -> Iterator[Metric]:
        gathering = engine.gathering
        yield _gauge("ledger_entries", "Entries that are durable", engine.sequencer.ledger.state.size)
        try:
            signed = engine.sequencer.published.state.size
        except TallystickError:  # starting, and nothing is shown yet
            signed = 0
        yield _gauge("ledger_signed_entries", "Entries under the newest checkpoint that is shown", signed)
        witnessed = 0 if gathering.witnessed is None else gathering.witnessed.checkpoint.size
        yield _gauge("ledger_witnessed_entries", "Entries that a quorum of witnesses cosigned", witnessed)
        yield _gauge("queued_bytes", "Submissions that wait to be written", engine.sequencer.queued_bytes)
        sizes = {each.id: gathering.size_of(each.id) for each in engine.who.charter.witnesses_of(engine.who.bureau)}
        yield _gauges("witness_entries", "Entries that a witness of this ledger cosigned", "witness", sizes)

    def _copies(self) -> Iterator[Metric]:
        engine = self._engine
        ids = {each.origin: each.id for each in engine.who.charter.ledgers}
        held = {origin: engine.shelf.at(origin).size for origin in engine.shelf.origins}
        known = {origin: account.held for origin, account in engine.heard.accounts.items()}
        behind = {
            ids[origin]: max(0, newest.size - held.get(origin, 0))
            for origin, newest in known.items()
            if newest is not None and origin in held
        }
        yield _gauges(
            "copy_entries",
            "Entries of another's ledger that this node cosigned",
            "ledger",
            {ids[origin]: size for origin, size in held.items()},
        )
        yield _gauges("copy_behind_entries", "Entries more that the ledger is known to have", "ledger", behind)
        yield _gauge("cosigning_stopped", "Ledgers this node cosigns no more", len(engine.shelf.stopped))


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, said, value=value)


def _gauges(name: str, said: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(_PREFIX + name, said, labels=[label])
    for each, value in sorted(values.items()):
        family.add_metric([each], value)
    return family


def _counter(name: str, said: str, label: str, count: Count) -> Metric:
    family = CounterMetricFamily(_PREFIX + name, said, labels=[label])
    for each, value in count.items():
        family.add_metric([each], value)
    return family
