"""One bureau of a local cluster: its home, its process, and its clients."""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.core.charter import Bureau, Charter
from tallystick.sdk.node import Node
from tallystick_node import doctor
from tallystick_node.cluster.births import LOG, STOP_MAX_S, Births
from tallystick_node.cluster.disk import Disk
from tallystick_node.cluster.layout import officer_profile, system_profile
from tallystick_node.cluster.running import Running
from tallystick_node.config import Settings
from tallystick_node.home import SETTINGS
from tallystick_node.store.leveldb import LevelDbStore


class Member:
    """A bureau's node in a cluster's folder. `profile` and `gateway_profile` are its officer's and its system's."""

    def __init__(self, folder: Path, bureau: Bureau, charter: Charter, births: Births) -> None:
        self.id = bureau.id
        self.bureau = bureau
        self._folder = folder
        self._charter = charter
        self.home = folder / bureau.id
        self.profile = officer_profile(folder, bureau.id)
        self.gateway_profile = system_profile(folder, bureau.id)
        self.broken_on_purpose = False
        self.lives = 0
        self._births = births
        self._clients: dict[Path, Node] = {}
        self._old_clients: list[Node] = []

    # Its clients. Each life of the node gets new ones: a channel that met a dead node does not ask again at once.

    @property
    def sdk(self) -> Node:
        """The node under its officer, `<bureau>:clerk`."""
        return self._client(self.profile)

    @property
    def gateway(self) -> Node:
        """The node under its system, `<bureau>:gateway`."""
        return self._client(self.gateway_profile)

    def _client(self, profile: Path) -> Node:
        client = self._clients.get(profile)
        if client is None:
            client = self._clients[profile] = Node.open(profile)
        return client

    def close_clients(self) -> None:
        """Close every connection that was made through this object."""
        for client in (*self._old_clients, *self._clients.values()):
            client.close()
        self._old_clients.clear()
        self._clients.clear()

    # Its process.

    @property
    def running(self) -> Running | None:
        """Its process, or None."""
        return Running.of(self.home)

    def start(self) -> None:
        """Start it, unless it runs; it answers when this returns, and records if enough of its witnesses run.

        Raises Unreachable with the end of its log.
        """
        if self.running is None:
            self._births.start([self.home], [self.home] if self.will_record() else [])
            self.begin_life()

    def will_record(self, beside: Collection[str] = ()) -> bool:
        """Whether it may record, and so many witnesses as it needs to start run with the nodes of the bureaus `beside`
        started too.
        """
        quorum = self._charter.quorum_of(self.bureau)
        running = {
            witness.credit_code
            for witness in self._charter.witnesses_of(self.bureau)
            if witness.id in beside or Running.of(self._folder / witness.id) is not None
        }
        enough = quorum is None or len(running) >= quorum.needed
        return self.bureau.state == "active" and enough

    def begin_life(self) -> None:
        """The node was started, by this object or beside it."""
        self.lives += 1
        self._old_clients.extend(self._clients.values())
        self._clients.clear()

    def stop(self) -> None:
        """SIGTERM: what is in flight is finished. Returns when the process is gone."""
        running = self.running
        if running is not None:
            running.end(STOP_MAX_S)
        self._births.forget(self.home)

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting."""
        running = self.running
        if running is not None:
            running.send(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL. Returns when the process is gone."""
        running = self.running
        if running is not None:
            running.kill()
        self._births.forget(self.home)

    @property
    def log_text(self) -> str:
        """Everything its node ever logged."""
        log = self.home / LOG
        return log.read_text(errors="replace") if log.exists() else ""

    # Its disk.

    @property
    def settings(self) -> Settings:
        """Its settings as they stand in the file now."""
        return Settings.load(self.home / SETTINGS)

    @contextmanager
    def stopped(self, *, broken_on_purpose: bool = False, restart: bool = True) -> Iterator[Disk]:
        """Its database, while the node is stopped for it. One that is broken on purpose is not checked after a test."""
        self.broken_on_purpose |= broken_on_purpose
        self.stop()
        path = self.settings.database
        store = LevelDbStore.open(path)
        try:
            yield Disk(path, store)
        finally:
            store.close()
        if restart:
            self.start()

    def fsck(self) -> doctor.Report:
        """Check its disk; a running node is stopped for it and started again."""
        was_running = self.running is not None
        self.stop()
        try:
            return doctor.run(self.settings)
        finally:
            if was_running:
                self.start()
