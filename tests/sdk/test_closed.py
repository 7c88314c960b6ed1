"""Nothing new is asked of a closed bureau, nor promised to it: refused at the client, with whom to turn to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tallystick.core.bureau import Floor
from tallystick.core.closing import Closing
from tallystick.core.errors import InvalidStatement, NotAllowed
from tallystick.core.kinds import BY_NAME, KINDS, Use
from tallystick.core.note import encode_base64
from tallystick.sdk.clock import new_id, now_us
from tallystick.sdk.closed import check_open
from tallystick.sdk.node import Node
from tallystick.sdk.profile import Profile
from tallystick.sdk.wire import Wire
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office, key_of
from tests.harness.rosters import roster_of

OWN, CLOSED, HEIR = "market", "b1", "b2"
ISSUED = datetime(2027, 6, 1, tzinfo=UTC)


def closings(issued: datetime | None = ISSUED, successor: str = HEIR) -> dict[str, Closing]:
    return {CLOSED: Closing(CLOSED, 3, issued, successor)}


def addressed(kind: str, **said: object) -> str:
    """What is said where a statement of a kind names the closed bureau in whatever field names the other one."""
    (use,) = filter(_names_other, BY_NAME[kind].head_uses)
    try:
        check_open(OWN, kind, {use.name: CLOSED, **said}, closings())
    except InvalidStatement as error:
        return str(error)
    return ""


def _names_other(use: Use) -> bool:
    return use.field.name == "counterparty"


ADDRESSING = sorted(kind.name for kind in KINDS.values() if any(map(_names_other, kind.head_uses)))
OPENING = {"AccessRequested", "AccessGranted", "DataSent", "ConcernRaised", "DutyAssigned"}


@pytest.mark.parametrize("kind", ADDRESSING)
def test_what_opens_something_with_a_closed_bureau_is_refused_and_nothing_else(kind: str) -> None:
    """What denies, answers, ends or releases, and what tells of data that somebody has, must remain possible."""
    assert bool(addressed(kind)) == (kind in OPENING)


@pytest.mark.parametrize("kind", sorted(OPENING))
def test_what_was_before_the_closing_or_is_brought_in_is_recorded(kind: str) -> None:
    """It tells of what there was, however late; what is said to have happened since is refused."""
    before, since = ISSUED.replace(year=2026), ISSUED
    assert not addressed(kind, happened_at=before)
    assert not addressed(kind, source="x-road#1")
    assert addressed(kind, happened_at=since)


def test_it_says_since_when_and_who_succeeds() -> None:
    """As far as that is known; where it is not, what says when it happened may have been before."""
    closed = "provider: b1 is closed by version 3 of the charter, "
    assert addressed("AccessRequested") == (
        f"{closed}issued 2027-06-01, and succeeded by b2; expected b2, or when it happened, where that was before"
    )
    with pytest.raises(InvalidStatement) as raised:
        check_open(OWN, "request", {"provider": CLOSED}, closings(None, ""))
    assert str(raised.value) == (
        f"{closed}or by one before it, and succeeded by nobody;"
        " expected a bureau that is not closed, or when it happened, where that was before"
    )
    check_open(OWN, "request", {"provider": CLOSED, "happened_at": datetime.now(UTC)}, closings(None))
    check_open(OWN, "request", {"provider": HEIR}, closings())


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Node]:
    """A clerk's node, under a charter whose first version says that b1 is closed."""
    (tmp_path / "home").mkdir()
    office = Office(now_us=now_us())
    heir, old = roster_of(3)[1:]
    office.others = (
        msgspec.structs.replace(heir, id=HEIR, credit_code=old.credit_code),
        msgspec.structs.replace(
            old, id=CLOSED, state="closed", successor=HEIR, floor=Floor(1, encode_base64(bytes(32)))
        ),
    )
    with LyingNode(Home(tmp_path / "home", office)) as node:
        office.bureau = node.bureau
        note, digest = office.charter()
        (tmp_path / "charter.note").write_bytes(note)
        for bureau in (OWN, CLOSED):
            (tmp_path / f"{bureau}.toml").write_text(
                f'charter = "charter.note"\ncharter_digest = "{digest}"\nbureau = "{bureau}"\nstate = "{bureau}"\n'
            )
        profile = Profile.load(tmp_path / f"{OWN}.toml")
        clerk = office.actor("clerk"), office.keys["clerk"]
        with Node(Wire(node.bureau), profile.trust_store, *clerk, profile.state, profile) as made:
            yield made


def test_nothing_is_recorded_of_what_is_refused(client: Node) -> None:
    """Neither one by one nor by a recorder; what is asked of the successor is, and so is an end with the closed one."""
    size = client.refresh().size
    with pytest.raises(InvalidStatement, match="b1 is closed by version 1"):
        client.request("A", provider=CLOSED, purpose="p")
    with (
        pytest.raises(InvalidStatement, match="b1 is closed by version 1"),
        client.sending("A", to=CLOSED, digest=f"blake3:{7:064x}", exchange=new_id()),
    ):
        pytest.fail("the block ran")
    with client.recorder() as recorder:
        with pytest.raises(InvalidStatement, match="b1 is closed by version 1"):
            recorder.request("A", provider=CLOSED, purpose="p")
        recorder.request("A", provider=HEIR, purpose="p")
    asked = client.request("A", provider=HEIR, purpose="p")
    client.end(asked, with_bureau=CLOSED, how="withdrawn")
    assert client.refresh().size == size + 3


def test_a_closed_bureau_is_told_why_it_records_nothing(client: Node, tmp_path: Path) -> None:
    """Whether its node runs any more or not; its profile knows the version that says so."""
    profile = Profile.load(tmp_path / f"{CLOSED}.toml")
    clerk = f"{CLOSED}:clerk", key_of("any")
    with Node(Wire(profile.bureau), profile.trust_store, *clerk, profile.state, profile) as old, old.recorder() as many:
        for record in (old, many):
            with pytest.raises(NotAllowed, match=r"^b1 is closed by version 1 of the charter, issued .* by b2"):
                record.declare("A", scheme="local", title="t", sharing="unconditional")
