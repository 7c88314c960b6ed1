"""Rebuilding: cut off anywhere it goes on, who answers falsely is passed over, nothing above a floor is denied."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.compose import Sensitive
from tallystick.core.entry import decode_entry
from tallystick.core.errors import ConfigInvalid, DirectoryHeld, Forked, Unreachable
from tallystick.core.kinds import BY_NAME
from tallystick.core.merkle import EMPTY_ROOT
from tallystick.core.note import encode_base64
from tallystick.core.statement import read
from tallystick.sdk.charter_files import adopt
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import generate_key, load_key
from tallystick_node import doctor, growing
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.ledger import Ledger
from tallystick_node.peers import Peer, Reach
from tallystick_node.recovery import Rebuilt, recover
from tallystick_node.renewal import next_keys
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.survey import Survey, survey
from tallystick_proto.v1.ledger_pb2 import Bundle
from tallystick_proto.v1.witness_pb2 import HeldAnswer
from tests.harness.charters import signed_next
from tests.harness.clusters import checked_cluster
from tests.harness.members import entries_of, witnessed

MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"
LOOKUPS = 12


class Crash(BaseException):
    """The end of the process."""


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[tuple[LocalCluster, Path]]:
    """Three nodes, of which one is stopped for good, and the version by which it is recovered."""
    with checked_cluster(tmp_path_factory.mktemp("lost"), 3, nursery) as cluster:
        planning = cluster[PLANNING]
        for number in range(LOOKUPS):
            planning.gateway.use(
                "R-1@1", purpose="joint-supervision", case="one", subject=Sensitive(f"person {number}")
            )
        witnessed(planning, "GH-1")
        planning.stop()
        yield cluster, signed_next(cluster, edits(planning))


@pytest.fixture
def planning(lost: tuple[LocalCluster, Path]) -> Iterator[Member]:
    """The stopped node; what a test makes of its home is undone."""
    member = lost[0][PLANNING]
    before = member.settings.path.read_text()
    yield member
    member.settings.path.write_text(before)
    shutil.rmtree(member.home / "data-2", ignore_errors=True)


def known_as(member: Member, peer: type[Peer]) -> Reach:
    """How a member's node reaches the others, by peers of a kind."""
    return partial(peer, credentials=member.settings.credentials)


def asked(member: Member, peer: type[Peer] = Peer) -> Survey:
    charter, bureau = member.settings.open_charter()
    return asyncio.run(survey(charter, bureau, known_as(member, peer)))


def edits(member: Member) -> str:
    """What the survey has the charter say."""
    charter, bureau = member.settings.open_charter()
    floor = asked(member).floor
    keys = next_keys(member.settings, charter, bureau, ("ledger", "witness"))
    lines = [f'{name} = "{value}"' for name, value in keys.items()]
    return "\n".join(["[[bureau]]", *lines, f'floor = {{ size = {floor.size}, root = "{encode_base64(floor.root)}" }}'])


def rebuilt(member: Member, version: Path, peer: type[Peer] = Peer) -> Rebuilt | None:
    return asyncio.run(recover(member.settings, version, known_as(member, peer), now_us(), lambda done, of: None))


def whole(member: Member, old: list[bytes]) -> None:
    """A recovered home is sound, has the old entries, two of its own after them, and every disclosure."""
    report = doctor.run(member.settings)
    assert report.clean, "\n".join(map(str, report.differences))
    store = LevelDbStore.open(member.settings.database)
    try:
        ledger = Ledger.open(store, member.bureau.origin)
        found = list(ledger.entries(0, ledger.state.size))
        assert len(list(store.range(b"d", b"e"))) == LOOKUPS
    finally:
        store.close()
    assert found[:-2] == old
    kinds = [read(decode_entry(raw).statement).kind for raw in found[-2:]]
    assert kinds == [BY_NAME["RecoveryPerformed"], BY_NAME["CharterAdopted"]]
    signed = SignedSize.open(member.settings.signed_size, member.bureau.origin)
    signed.close()
    assert signed.value[0] == len(found)


def test_cut_off_at_any_write_it_is_done_by_running_it_again(
    lost: tuple[LocalCluster, Path], planning: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before or after each: the home is what it was until the last, and what was built is gone on with."""
    monkeypatch.setattr(growing, "COMMIT_ENTRIES", 4)
    old, before = entries_of(planning), planning.settings.path.read_text()
    steps = 0
    for when in ("before", "after"):
        for number in count():
            crashing = Crashing(number, when)
            with pytest.MonkeyPatch.context() as patched:
                crashing.put(patched)
                try:
                    rebuilt(planning, lost[1])
                except Crash:
                    steps += 1
                    done = crashing.last == "adopt" and when == "after"
                    assert (planning.settings.path.read_text() == before) != done
                else:
                    break
            assert (rebuilt(planning, lost[1]) is None) == done
            whole(planning, old)
            planning.settings.path.write_text(before)
            shutil.rmtree(planning.home / "data-2")
        planning.settings.path.write_text(before)
        shutil.rmtree(planning.home / "data-2")
    assert steps >= 16


class Crashing:
    """Ends the process at one of the writes of a recovery, counted from 0, before or after it."""

    def __init__(self, number: int, when: str) -> None:
        self.left = number
        self.when = when
        self.last = ""

    def put(self, patched: pytest.MonkeyPatch) -> None:
        patched.setattr(LevelDbStore, "write", self.at("write", LevelDbStore.write))
        patched.setattr(SignedSize, "note", self.at("note", SignedSize.note))
        patched.setattr(SignedSize, "_write", self.at("slot", SignedSize._write))
        patched.setattr("tallystick_node.recovery.adopt", self.at("adopt", adopt))

    def at(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            now, self.left = self.left == 0, self.left - 1
            self.last = name if now else self.last
            if now and self.when == "before":
                raise Crash
            result = call(*arguments)
            if now:
                raise Crash
            return result

        return called


class Bent(Peer):
    """A peer of which one bureau's answers are bent."""

    whom = TAXATION

    async def read_entries(self, origin: str, first: int, end: int, size: int) -> AsyncIterator[Bundle]:
        async for bundle in super().read_entries(origin, first, end, size):
            if self.bureau.id in self.whom:
                bundle.entry[-1] = bundle.entry[-1][:-1] + bytes([bundle.entry[-1][-1] ^ 1])
            yield bundle


def test_a_lying_copy_is_refused_and_the_next_one_asked(lost: tuple[LocalCluster, Path], planning: Member) -> None:
    """It is named, nothing of it is taken, and what is built is what the others hold."""
    old = entries_of(planning)

    class FirstLies(Bent):
        whom = MARKET

    done = rebuilt(planning, lost[1], FirstLies)
    assert done is not None
    assert [error.where.partition(":")[0] for error in done.refused] == [f"copy of {MARKET}"]
    whole(planning, old)


def test_where_every_copy_lies_nothing_is_changed(lost: tuple[LocalCluster, Path], planning: Member) -> None:
    """Each is named, and the home stays as it was."""
    before = planning.settings.path.read_text()

    class AllLie(Bent):
        whom = MARKET + TAXATION

    with pytest.raises(Unreachable, match=rf"nobody gives the entries from #0 on .*{MARKET}.*{TAXATION}"):
        rebuilt(planning, lost[1], AllLie)
    assert planning.settings.path.read_text() == before


def test_a_floor_below_what_a_witness_holds_is_not_gone_by(lost: tuple[LocalCluster, Path], planning: Member) -> None:
    """Nor is one above: what witnesses hold is the floor, and nothing else."""
    cluster = lost[0]
    size = len(entries_of(planning))
    store = LevelDbStore.open(planning.settings.database)
    root = Ledger.open(store, planning.bureau.origin).root_at(size - 1)
    store.close()
    lower = edits(planning).partition("floor")[0] + (f'floor = {{ size = {size - 1}, root = "{encode_base64(root)}" }}')
    with pytest.raises(ConfigInvalid, match=f"pins {size - 1} entries, and witnesses hold {size}"):
        rebuilt(planning, signed_next(cluster, lower, "lower.note"))
    higher = edits(planning).replace(f"size = {size}", f"size = {size + 1}")
    with pytest.raises(ConfigInvalid, match=f"pins {size + 1} entries, and witnesses hold {size}"):
        rebuilt(planning, signed_next(cluster, higher, "higher.note"))


def test_a_version_that_is_no_recovery_is_refused(lost: tuple[LocalCluster, Path], planning: Member) -> None:
    """It must name a new ledger key, a new witness key and a floor."""
    version = signed_next(lost[0], f'[[bureau]]\nid = "{PLANNING}"\nendpoint = "127.0.0.1:1"\n', "other.note")
    with pytest.raises(ConfigInvalid, match="a new ledger key, a new witness key, a floor"):
        rebuilt(planning, version)


def test_disclosures_are_not_given_up_for_a_key_that_is_elsewhere(
    lost: tuple[LocalCluster, Path], planning: Member, tmp_path: Path
) -> None:
    """Where their key is missing, or another's, nothing is built; where it is said to be lost, they are counted so."""
    settings = planning.settings
    path, aside = settings.place(settings.config.keys.disclosure), tmp_path / "aside"
    path.rename(tmp_path / "disclosure.key")
    with pytest.raises(ConfigInvalid, match="the key is missing that opens the disclosures of the database before it"):
        rebuilt(planning, lost[1])
    assert not path.exists()
    generate_key(path)
    with pytest.raises(ConfigInvalid, match="this is not the key under which the disclosures"):
        rebuilt(planning, lost[1])
    path.unlink()
    assert not (planning.home / "data-2").exists()
    settings.database.rename(aside)
    try:
        done = rebuilt(planning, lost[1])
        assert done is not None
        assert (done.kept, done.committed) == (0, LOOKUPS)
        assert path.stat().st_mode & 0o777 == 0o600
        assert doctor.run(planning.settings).clean
    finally:
        aside.rename(settings.database)
        (tmp_path / "disclosure.key").rename(path)


def test_a_running_node_is_left_alone(lost: tuple[LocalCluster, Path], planning: Member) -> None:
    """Its database is held."""
    store = LevelDbStore.open(planning.settings.database)
    try:
        with pytest.raises(DirectoryHeld):
            rebuilt(planning, lost[1])
    finally:
        store.close()


class Answering(Peer):
    """Peers that hold what a test says they hold."""

    answers: dict[str, HeldAnswer]

    async def held(self, origin: str) -> HeldAnswer:
        return self.answers.get(self.bureau.id) or await super().held(origin)


def answering(**answers: HeldAnswer) -> type[Peer]:
    return type("Answers", (Answering,), {"answers": answers})


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (HeldAnswer(), "neither a checkpoint nor that it holds none"),
        (HeldAnswer(note=[b"no note"]), "there are no signatures"),
    ],
    ids=["nothing", "no note"],
)
def test_what_is_no_answer_blocks(planning: Member, answer: HeldAnswer, why: str) -> None:
    """An unsigned claim is none, and its witness is named."""
    found = asked(planning, answering(taxation=answer))
    with pytest.raises(Unreachable, match=f"not known what {TAXATION} holds.*{why}"):
        found.floor  # noqa: B018


def test_what_a_witness_was_told_is_not_what_it_holds(planning: Member) -> None:
    """Another's cosignature says what another holds; a checkpoint that nobody cosigned, how much had been signed."""
    found = asked(planning)
    held = next(each for each in found.holdings if each.witness.id == MARKET)
    key = load_key(planning.settings.place(planning.settings.config.keys.ledger))
    more = sign_checkpoint(Checkpoint(planning.bureau.origin, found.floor.size + 7, bytes(32)), key)
    told = asked(planning, answering(taxation=HeldAnswer(note=[held.note, more])))
    taxation = next(each for each in told.holdings if each.witness.id == TAXATION)
    assert (taxation.checkpoint, taxation.trouble) == (None, None)
    assert told.floor == held.checkpoint == found.floor
    assert told.signed == found.floor.size + 7


def test_another_history_that_a_witness_was_told_is_evidence(planning: Member) -> None:
    """Whoever told it: the ledger's key signed both."""
    held = next(each for each in asked(planning).holdings if each.witness.id == MARKET)
    assert held.checkpoint is not None
    key = load_key(planning.settings.place(planning.settings.config.keys.ledger))
    for size in (held.checkpoint.size, held.checkpoint.size - 1, 8):
        other = sign_checkpoint(Checkpoint(planning.bureau.origin, size, bytes(32)), key)
        with pytest.raises(Forked) as told:
            asked(planning, answering(taxation=HeldAnswer(note=[held.note, other])))
        assert told.value.evidence


def test_where_all_hold_none_the_ledger_ends(planning: Member) -> None:
    """One that holds none is fine as long as another holds it; where none does, it exists nowhere."""
    none = HeldAnswer(none=True)
    assert not asked(planning, answering(taxation=none)).exists_nowhere
    found = asked(planning, answering(**{TAXATION: none, MARKET: none}))
    assert found.exists_nowhere
    assert (found.floor.size, found.floor.root) == (0, EMPTY_ROOT)
