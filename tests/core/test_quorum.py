"""Quorums: the design's numbers, no two witnessed histories without enough liars, and who counts."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.charter import Bureau, Charter, Floor, Witnessing
from tallystick.core.charter_draft import QuorumChange, quorum_changes
from tallystick.core.charter_note import format_charter, parse_charter
from tallystick.core.errors import MalformedCharter
from tallystick.core.limits import WITNESSES_MAX
from tallystick.core.note import encode_base64
from tallystick.core.quorum import Quorum, default_needed
from tests.harness.ledger_maker import LedgerMaker, charter_of
from tests.harness.rosters import roster_of

FLOOR = Floor(3, encode_base64(b"\1" * 32))


@pytest.mark.parametrize(("witnesses", "needed"), [(2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (19, 13)])
def test_the_designs_numbers(witnesses: int, needed: int) -> None:
    """k is what the design says for n."""
    assert default_needed(witnesses) == needed


@given(st.integers(2, 10_000))
def test_by_default_a_third_may_collude_and_no_more_may_be_away_than_that(witnesses: int) -> None:
    """With f = floor((n-1)/3) liars no two histories are witnessed, and with f away everything still is."""
    quorum = Quorum(witnesses, default_needed(witnesses))
    third = (witnesses - 1) // 3
    assert quorum.colluders_survived >= third <= quorum.absent_survived
    assert 2 * quorum.needed > witnesses >= quorum.needed


@given(st.integers(2, 9), st.data())
def test_what_a_quorum_survives_is_what_can_be_counted_out(witnesses: int, data: st.DataObject) -> None:
    """Two histories can both have k exactly where the liars, who sign both, make up for the honest, who sign one."""
    needed = data.draw(st.integers(witnesses // 2 + 1, witnesses))
    quorum = Quorum(witnesses, needed)
    for liars in range(witnesses + 1):
        honest = witnesses - liars
        both = any(one + liars >= needed and honest - one + liars >= needed for one in range(honest + 1))
        assert both == (liars > quorum.colluders_survived)


@pytest.mark.parametrize(
    ("bureaus", "quorum"), [(1, None), (2, None), (3, (2, 2)), (5, (4, 3)), (7, (6, 4)), (8, None)]
)
def test_everybody_else_witnesses_up_to_seven_bureaus(bureaus: int, quorum: tuple[int, int] | None) -> None:
    """Without a list the others witness in a small roster, nobody in a larger one, and one is never enough."""
    charter = charter_of(*roster_of(bureaus))
    for bureau in charter.bureau:
        assert charter.quorum_of(bureau) == (quorum and Quorum(*quorum))
        assert bureau not in charter.witnesses_of(bureau)


def test_a_list_names_who_witnesses_and_suspended_bureaus_do_not() -> None:
    """Those listed and active witness, in the order of the list, and nobody else."""
    first, *others = roster_of(9)
    listed = msgspec.structs.replace(first, witnesses=tuple(bureau.id for bureau in others[:4]))
    asleep = msgspec.structs.replace(others[0], state="suspended")
    charter = charter_of(listed, asleep, *others[1:])
    assert charter.witnesses_of(listed) == tuple(others[1:4])
    assert charter.quorum_of(listed) == Quorum(3, 2)


def test_a_closed_bureau_and_its_successor_leave_the_quorum_as_it_was() -> None:
    """No version may leave a closed bureau out, so it is none of the seven; eight that go on are too many."""
    *seven, last = roster_of(8)
    gone = msgspec.structs.replace(seven[0], state="closed", floor=FLOOR, successor=last.id)
    heir = msgspec.structs.replace(last, credit_code=gone.credit_code)
    before, after = charter_of(*seven), parse_charter(format_charter(charter_of(gone, *seven[1:], heir)))
    assert {after.quorum_of(bureau) for bureau in after.bureau} == {Quorum(6, 4)}
    assert quorum_changes(before, after) == [QuorumChange(after.by_id(heir.id), None, Quorum(6, 4))]
    asleep = msgspec.structs.replace(seven[0], state="suspended")
    too_many = charter_of(asleep, *seven[1:], last)
    assert [(each.before, each.after) for each in quorum_changes(before, too_many)] == [(Quorum(6, 4), None)] * 7


def test_a_credit_code_counts_once_and_the_ledgers_own_never() -> None:
    """Two bureaus of one organisation are one witness, and none for the organisation's own ledgers."""
    first, second, third, fourth = roster_of(4)
    twin = msgspec.structs.replace(second, credit_code=third.credit_code)
    charter = charter_of(first, twin, third, fourth)
    assert charter.quorum_of(first) == Quorum(2, 2)
    assert charter.witnesses_of(third) == (first, fourth)
    alike = LedgerMaker().bureau
    assert charter_of(alike, LedgerMaker(bureau="taxation").bureau).witnesses_of(alike) == ()


def _listing(*witnesses: str) -> Charter:
    first, *others = roster_of(4)
    return charter_of(msgspec.structs.replace(first, witnesses=witnesses), *others)


def _listing_all(count: int) -> Charter:
    first, *others = roster_of(count + 1)
    return charter_of(msgspec.structs.replace(first, witnesses=tuple(each.id for each in others)), *others)


def _asking(quorum: int, bureaus: tuple[Bureau, ...] | None = None) -> Charter:
    return msgspec.structs.replace(charter_of(*(bureaus or roster_of(5))), witnessing=Witnessing(quorum=quorum))


@pytest.mark.parametrize(
    ("charter", "what"),
    [
        (_asking(1), "a quorum of 1 out of 4"),
        (_asking(2), "a quorum of 2 out of 4"),
        (_asking(5), "a quorum of 5 out of 4"),
        (_asking(-3), "a quorum of -3 out of 4"),
        (_listing("b1", "nobody"), "nobody"),
        (_listing("b0", "b1"), "b0"),
        (_listing("b1", "b1"), "stands twice"),
        (_listing_all(WITNESSES_MAX + 1), f"{WITNESSES_MAX + 1} of them"),
        (msgspec.structs.replace(_asking(3), witnessing=Witnessing(freshness="soon")), "freshness 'soon'"),
        (msgspec.structs.replace(_asking(3), witnessing=Witnessing(freshness="0m")), "freshness '0m'"),
    ],
)
def test_what_cannot_be_witnessed_by_is_refused(charter: Charter, what: str) -> None:
    """Half or fewer, more than there are, strangers, oneself, the same twice, more than a note shows, and a freshness
    that does not read.
    """
    with pytest.raises(MalformedCharter, match="expected") as caught:
        parse_charter(format_charter(charter))
    assert what in str(caught.value)


def test_a_quorum_of_the_charters_own_counts_for_every_ledger() -> None:
    """k is the charter's where it sets one, and freshness is read as seconds."""
    charter = parse_charter(format_charter(_asking(4)))
    assert {charter.quorum_of(bureau) for bureau in charter.bureau} == {Quorum(4, 4)}
    assert [Witnessing(freshness=text).freshness_s for text in ("90s", "10m", "2h")] == [90, 600, 7_200]
