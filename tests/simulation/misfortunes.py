"""What befalls machines and the network in a history, each for a while; `calm` ends it all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from tests.harness.faulty_store import Fault
from tests.simulation.bench import Bench
from tests.simulation.disks import Disk, When
from tests.simulation.network import FAIR, Weather
from tests.simulation.nodes import DISK_DELAY_S, Machine

WEATHERS: Final = (
    FAIR,
    Weather(delay_s=0.05, late=0.05),
    Weather(delay_s=0.02, late=0.05, lost=0.02, cut=0.02, twice=0.2),
    Weather(delay_s=0.3, late=0.02, cut=0.05, twice=0.1),
)

_CLOCK_STEPS_S: Final = (-3_600, -60, -1, 1, 60, 3_600)
_DOWN_MAX_S: Final = 15.0


class Misfortunes:
    """They strike a machine, or the network around it."""

    def __init__(self, bench: Bench, *, put_back: bool = True) -> None:
        self._bench = bench
        self._put_back = put_back
        self._rng = bench.chance("misfortunes")
        self._snapshots: dict[str, Disk] = {}
        self._over = False

    def strike(self, machine: Machine) -> None:
        """One of them, by chance."""
        self._rng.choice(_EACH)(self, machine)

    def calm(self) -> None:
        """No more of them: everybody is up, reaches everybody, and has a sound disk and the right time."""
        self._over = True
        self._bench.say("history", "calm: no more misfortunes")
        self._bench.network.calm()
        for machine in self._bench.machines.values():
            machine.crash_at = None
            machine.disk_delay_s = DISK_DELAY_S
            machine.clock.off_us = 0
            if machine.process is not None:
                machine.process.store.plan.clear()
        self.mend()

    def mend(self) -> None:
        """Every node that is down, and can start, is started."""
        for machine in self._bench.machines.values():
            if not machine.refused:
                machine.boot()

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        """Unless it is calm by then."""
        self._bench.loop.call_later(seconds, lambda: None if self._over else what())

    # Machines.

    def crash(self, machine: Machine) -> None:
        machine.crash()
        self._boot_later(machine)

    def crash_at_a_step(self, machine: Machine) -> None:
        machine.crash_after(self._rng.randint(0, 4), self._rng.choice(("before", "after")))
        self._boot_later(machine)

    def restart(self, machine: Machine) -> None:
        machine.halt()
        self._boot_later(machine)

    def _boot_later(self, machine: Machine) -> None:
        self._later(self._rng.uniform(0.1, _DOWN_MAX_S), machine.boot)

    def failing_write(self, machine: Machine) -> None:
        if machine.process is not None:
            store = machine.process.store
            number = store.writes + self._rng.randint(0, 2)
            when: When = self._rng.choice(("before", "after"))
            store.plan["write", number] = Fault("write", number, when)
            self._bench.say(machine.name, f"has a disk that will fail once, {when} it wrote")

    def snapshot_and_restore(self, machine: Machine, within_s: float = 15.0) -> None:
        """A copy of the disk is made now; it is put back, where nobody thought of what was signed since."""
        # One bureau's, and no disk is lost besides: two are more than witnesses can bear.
        if machine.honest and self._put_back and not self._snapshots:
            self._snapshots[machine.name] = machine.disk.copy()
            self._bench.say(machine.name, "has a snapshot taken of its disk")
            self._later(self._rng.uniform(1.0, within_s), partial(self._restore, machine))

    def _restore(self, machine: Machine) -> None:
        machine.crash()
        machine.put_back(self._snapshots[machine.name])
        for liar in sorted(self._bench.liars):  # who forgot what it was shown may be shown something else
            if len(faces := sorted(self._bench.faces[liar])) > 1:
                self._bench.shown[liar, machine.id] = self._rng.choice(faces)
        self._boot_later(machine)

    def put_back_what_one_witness_saw(self, machine: Machine) -> None:
        """With one witness it is cut off, and signs; then it is put back as it was before, and starts, with or without
        that witness in reach.
        """
        process = machine.process
        if not machine.honest or not self._put_back or self._snapshots:
            return
        if process is None or not process.at_work or process.writer is None:
            return
        bench, rng = self._bench, self._rng
        witness = rng.choice([each.id for each in bench.honest() if each is not machine])
        self._snapshots[machine.name] = machine.disk.copy()
        bench.network.part([machine.id, witness])
        bench.say("network", f"cuts off {machine.id}, {witness}")
        bench.clients.record(machine.id, 1, 0)

        def put_back() -> None:
            self._heal()
            if rng.random() < 0.5:
                bench.network.part([witness])
                bench.say("network", f"cuts off {witness}")
            machine.crash()
            machine.put_back(self._snapshots[machine.name])
            machine.boot()
            bench.loop.call_later(rng.choice((0.1, 1.0, 8.0)), bench.clients.record, machine.id, 1, 0)

        self._later(6.0, put_back)

    def step_clock(self, machine: Machine) -> None:
        by_s = self._rng.choice(_CLOCK_STEPS_S)
        machine.clock.off_us += by_s * 1_000_000
        self._bench.say(machine.name, f"has its clock stepped by {by_s} s")

    def slow(self, machine: Machine) -> None:
        self._bench.network.slow_down(machine.id, self._rng.choice((20.0, 200.0)))
        machine.disk_delay_s = self._rng.choice((DISK_DELAY_S, 0.5))
        self._bench.say(machine.name, "is slow from now on")

    # The network.

    def part(self, machine: Machine) -> None:
        names = list(self._bench.faces)
        side = self._rng.sample(names, self._rng.randint(1, len(names) // 2))
        self._bench.network.part(side)
        self._bench.say("network", f"cuts off {', '.join(side)}")
        self._later(self._rng.uniform(0.5, 20.0), self._heal)

    def _heal(self) -> None:
        self._bench.network.heal()
        self._bench.say("network", "everybody reaches everybody")

    def break_connections(self, machine: Machine) -> None:
        self._bench.network.break_all(machine.id)
        self._bench.say(machine.name, "loses every connection")


_EACH: Final[tuple[Callable[[Misfortunes, Machine], None], ...]] = (
    Misfortunes.crash,
    Misfortunes.crash_at_a_step,
    Misfortunes.crash_at_a_step,
    Misfortunes.restart,
    Misfortunes.failing_write,
    Misfortunes.snapshot_and_restore,
    Misfortunes.put_back_what_one_witness_saw,
    Misfortunes.put_back_what_one_witness_saw,
    Misfortunes.step_clock,
    Misfortunes.slow,
    Misfortunes.part,
    Misfortunes.part,
    Misfortunes.break_connections,
)
