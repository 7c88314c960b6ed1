"""Two bureaus of seven rewrite their ledgers together, while one honest node stands still and another is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from tallystick.audit.finding import Standing
from tallystick.core.equivocation import verify_equivocation
from tallystick.core.errors import Unreachable
from tallystick.core.witnessing import open_cosigned
from tallystick.sdk.auditing import audit
from tallystick.sdk.ledgers import Ledgers
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tests.harness.absences import Wired, parted, paused, wired_cluster
from tests.harness.forger import Forger, rewrite
from tests.harness.members import witnessed
from tests.harness.waiting import until

MARKET, TAXATION, PLANNING, PEOPLE = "market-regulation", "taxation", "planning", "human-resources"


@pytest.fixture
def seven(tmp_path: Path, nursery: Nursery) -> Iterator[Wired]:
    """Seven bureaus behind proxies: six witnesses a ledger, of which four are a quorum, and two may lie."""
    with wired_cluster(tmp_path / "seven", 7, nursery) as made:
        yield made


def is_cosigned_by(wired: Wired, ledger: Member, witness: Member, size: int) -> bool:
    """Whether a witness cosigned so much of a ledger, by what the ledger's own node shows, once that answers."""
    try:
        notes = ledger.sdk.wire.cosigned().newest
    except Unreachable:  # a machine with more to do than it can leaves a handshake unfinished
        return False
    shown = [open_cosigned(note, wired.cluster.charter, ledger.bureau) for note in notes]
    return any(each.cosigners[0].witness.id == witness.id and each.checkpoint.size >= size for each in shown)


def accused_by(wired: Wired, member: Member) -> list[str]:
    """Whom the evidence on a member's ledger convicts, each once."""
    with Ledgers.open(wired.cluster.auditor_profile) as ledgers:
        statements = [shown.read.statement for shown in ledgers[member.id].entries()]
    files = [each.equivocation_found.evidence.encode() for each in statements if each.HasField("equivocation_found")]
    return sorted(verify_equivocation(file, wired.cluster.charter)[0].id for file in files)


def test_two_colluders_of_seven_are_proven_by_all_others_and_nobody_else_is(seven: Wired) -> None:
    """Each cosigns what the other made anew, with a key that cosigned what was there before. Those who are there prove
    both; so do the one that stood still and the one that was cut off, once they are back. An audit convicts the two and
    finds nothing against anybody else, and the ledgers of the others are witnessed as before.
    """
    colluders = [market, taxation] = [seven[MARKET], seven[TAXATION]]
    honest = seven.but(MARKET, TAXATION)
    still, alone = seven[PLANNING], seven[PEOPLE]
    there = seven.but(MARKET, TAXATION, PLANNING, PEOPLE)
    sizes = [[witnessed(each, f"{each.id}-{number}").index + 1 for number in range(3)][-1] for each in colluders]
    until(lambda: all(is_cosigned_by(seven, market, other, sizes[0]) for other in seven.but(MARKET)))
    until(lambda: all(is_cosigned_by(seven, taxation, other, sizes[1]) for other in seven.but(TAXATION)))
    with ExitStack() as forgers:
        with paused(seven, still), parted(seven, colluders, [alone], [*there, still]):
            for each, fellow, size in ((market, taxation, sizes[0]), (taxation, market, sizes[1])):
                each.stop()
                each.close_clients()
                assert rewrite(each, lambda said: not said.head.resource.endswith("-1"), fellow) == size - 1
            for each in colluders:
                forgers.enter_context(Forger(each))
            until(lambda: is_cosigned_by(seven, market, taxation, sizes[0] - 1))
            until(lambda: is_cosigned_by(seven, taxation, market, sizes[1] - 1))
            with parted(seven, [alone], [*colluders, *there, still]):  # within, so that it is alone all the while
                until(lambda: all(accused_by(seven, each) == [MARKET, TAXATION] for each in there))
                assert accused_by(seven, alone) == []
        until(lambda: all(accused_by(seven, each) == [MARKET, TAXATION] for each in honest))
        for each in honest:
            witnessed(each, f"{each.id}-after")
        with Ledgers.open(seven.cluster.auditor_profile) as ledgers:
            found = audit(ledgers, date.today())
        assert {each.bureau for each in found.findings} == {MARKET, TAXATION}
        proven = {(each.bureau, each.standing) for each in found.findings if each.rule == "equivocation"}
        assert proven == {(MARKET, Standing.PROVEN), (TAXATION, Standing.PROVEN)}
        assert found.coverage.complete == {each.id for each in honest}
