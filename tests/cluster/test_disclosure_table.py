"""Who is shown what opens a commitment, cell by cell, on a real cluster over TLS: everybody, every sensitive field.

What is expected is written out here by hand, and taken from nothing that the node reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from tallystick.core.compose import Sensitive
from tallystick.core.entry import decode_entry
from tallystick.core.hashing import leaf_hash
from tallystick.core.keys import SigningKey
from tallystick.core.kinds import SENSITIVE
from tallystick.core.statement import read as read_statement
from tallystick_node.cluster.nursery import Nursery
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import (
    Bundle,
    CheckpointAnswer,
    CheckpointRequest,
    DiscloseAnswer,
    DiscloseRequest,
    OpeningsRequest,
    ReadRequest,
)
from tallystick_proto.v1.ledger_pb2_grpc import LedgerStub
from tallystick_proto.v1.statement_pb2 import RecordsShown, Ref
from tests.harness.places import (
    AUDITOR,
    LETTERS,
    OWN,
    PEER,
    SUSPENDED,
    District,
    Place,
    clear_in,
    column,
    district_in,
    recorded,
)
from tests.harness.principals import NOT_LET_IN, WAIT_S, YES, outcome, refusal_of, registration

# `y` is shown it, whether it is named or not; `0` is refused where it is named, and else shown nothing; `.` is refused
# either way. All refusals are in the same words.
SHOWN = """
                          o s r n  N P R  W w  U u  J  c
data_used.subject         y . . .  . 0 0  . 0  . 0  y  y
actor_registered.name     y . . .  . 0 0  . 0  . 0  y  y
person-of-peer            y . . .  . y y  . 0  . 0  y  y
person-of-suspended       y . . .  . 0 0  . 0  . y  y  y
records_shown.found       y . . .  . 0 0  . 0  . 0  y  y
"""
# Who may look for a value, in whichever field.
SEARCHERS = "oJc"
PERSONS = {"person-of-peer": PEER, "person-of-suspended": SUSPENDED}
PERSON = "duty_assigned.person"


@dataclass(frozen=True, slots=True)
class View:
    """A commitment: in which field of which entry, and what it hides."""

    index: int
    field: str
    value: bytes


class Secrets:
    """Commitments of every sort at a node, of each one whose disclosure is held and one whose was erased."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.held, self.erased = self._views(), self._views()
        for view in self.erased.values():
            self._erase(view)

    def channel(self, holder: str) -> grpc.Channel:
        return self.place.channel(holder)

    def _record(self, submission: Submission) -> Ref:
        with self.channel(f"{OWN}:clerk") as channel:
            receipt = recorded(channel, submission)
        return Ref(origin=self.place.bureau.origin, index=receipt.first, leaf=leaf_hash(receipt.entry))

    def _views(self) -> dict[str, View]:
        officer, registrar = self.place.signers["o"], self.place.signers["r"]
        views = {"data_used.subject": View(self._record(officer.lookup()).index, "data_used.subject", b"a citizen")}
        new = registration(self.place.bureau, f"a-{os.urandom(8).hex()}", SigningKey(os.urandom(32)))
        named = registrar.disclosing("register_actor", new | {"name": Sensitive("Li Si")})
        views["actor_registered.name"] = View(self._record(named).index, "actor_registered.name", b"Li Si")
        for row, holder in PERSONS.items():
            values = {"holder": holder, "duty": "approver", "matter": "M-1", "person": Sensitive("Wang Wu")}
            views[row] = View(self._record(officer.disclosing("assign_duty", values)).index, PERSON, b"Wang Wu")
        looked_up = views["data_used.subject"].index
        with self.channel(f"{OWN}:clerk") as channel:
            assert search(channel, self.place, "data_used.subject", looked_up) == YES
            found = size_of(channel, self.place) - 1
        views["records_shown.found"] = View(found, "records_shown.found", str(looked_up).encode())
        return views

    def _erase(self, view: View) -> None:
        officer = self.place.signers["o"]
        with self.channel(f"{OWN}:clerk") as channel:
            (entry,) = entries(channel, self.place, view.index, view.index + 1)
        about = Ref(origin=self.place.bureau.origin, index=view.index, leaf=leaf_hash(entry))
        said = officer.say("erase", {"entry": about, "field_path": view.field, "reason": "over"})
        self._record(officer.submission(said))


def size_of(channel: grpc.Channel, place: Place) -> int:
    """How many entries a node signed last."""
    answer: CheckpointAnswer = LedgerStub(channel).GetCheckpoint(
        CheckpointRequest(origin=place.bureau.origin), timeout=WAIT_S
    )
    return int(answer.checkpoint.split(b"\n")[1])


def entries(channel: grpc.Channel, place: Place, first: int, end: int) -> list[bytes]:
    """Entries [first, end) of a node's own ledger."""
    asked = ReadRequest(origin=place.bureau.origin, first=first, end=end, size=size_of(channel, place))
    bundles: Iterator[Bundle] = LedgerStub(channel).ReadEntries(asked, timeout=WAIT_S)
    return [entry for bundle in bundles for entry in bundle.entry]


def openings_shown(channel: grpc.Channel, place: Place, first: int) -> list[tuple[str, str, int]]:
    """What a ledger says of disclosures shown, from an entry on: to whom, of which field, of which entry."""
    said: list[RecordsShown.Shown] = []
    for raw in entries(channel, place, first, size_of(channel, place)):
        said += read_statement(decode_entry(raw).statement).statement.records_shown.shown
    return [(each.to, each.what, each.first) for each in said if each.what != "entries" and not each.searched]


def search(channel: grpc.Channel, place: Place, field: str, index: int) -> str:
    """What becomes of a search for a citizen in a field of one entry."""
    asked = OpeningsRequest(
        origin=place.bureau.origin, field=field, value=b"a citizen", first=index, end=index + 1
    ).SerializeToString()
    call: Any = channel.unary_stream("/tallystick.v1.Ledger/FindOpenings")
    try:
        assert list(call(asked, timeout=WAIT_S))
    except grpc.RpcError as error:
        return refusal_of(error)
    return YES


def disclosed(channel: grpc.Channel, place: Place, view: View, *fields: str) -> str | list[bytes]:
    """How asking is refused, or the values that are shown."""
    asked = DiscloseRequest(origin=place.bureau.origin, index=view.index, field=fields).SerializeToString()
    call: Any = channel.unary_unary("/tallystick.v1.Ledger/Disclose")
    try:
        answer = DiscloseAnswer.FromString(call(asked, timeout=WAIT_S))
    except grpc.RpcError as error:
        return refusal_of(error)
    return [each.value for each in answer.disclosure]


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[Secrets]:
    with district_in(tmp_path_factory.mktemp("district"), nursery) as made:
        yield Secrets(made)


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[Secrets]:
    with clear_in(tmp_path_factory.mktemp("clear"), nursery) as made:
        yield Secrets(made)


@pytest.fixture(scope="module")
def asking(request: pytest.FixtureRequest) -> Iterator[tuple[str, Secrets, grpc.Channel]]:
    """Somebody's letter, what is at the node that is called, and a connection to it."""
    letter = request.param
    secrets = request.getfixturevalue("clear" if letter == "c" else "district")
    with secrets.channel(LETTERS[letter]) as channel:
        yield letter, secrets, channel


everybody = pytest.mark.parametrize("asking", LETTERS, indirect=True)
Asking = tuple[str, Secrets, grpc.Channel]


def cell_of(named: str | list[bytes], unnamed: str | list[bytes], shown: list[bytes]) -> str:
    """The cell that two answers make; what makes none, as it is."""
    cells = {"y": (shown, shown), "0": (NOT_LET_IN, []), ".": (NOT_LET_IN, NOT_LET_IN)}
    return next((cell for cell, ends in cells.items() if ends == (named, unnamed)), f"{named} {unnamed}")


@everybody
def test_every_field(asking: Asking) -> None:
    """A disclosure is shown, or refused, as the table says; and each view is on the ledger, and nothing else."""
    letter, secrets, channel = asking
    place = secrets.place
    with secrets.channel(f"{OWN}:clerk") as clerk:
        before = size_of(clerk, place)
        cells, views = {}, []
        for row, view in secrets.held.items():
            named, unnamed = disclosed(channel, place, view, view.field), disclosed(channel, place, view)
            cells[row] = cell_of(named, unnamed, [view.value])
            views += [(LETTERS[letter], view.field, view.index)] * (2 if cells[row] == "y" else 0)
        assert cells == column(SHOWN, letter)
        assert openings_shown(clerk, place, before) == views


@everybody
def test_what_was_erased(asking: Asking) -> None:
    """Who might have seen it is shown nothing; to all others it is as if it were still held. Nothing is recorded."""
    letter, secrets, channel = asking
    place = secrets.place
    with secrets.channel(f"{OWN}:clerk") as clerk:
        before = size_of(clerk, place)
        cells = {
            row: cell_of(disclosed(channel, place, view, view.field), disclosed(channel, place, view), [])
            for row, view in secrets.erased.items()
        }
        assert cells == column(SHOWN, letter)
        assert openings_shown(clerk, place, before) == []


@everybody
def test_every_search(asking: Asking) -> None:
    """Who may not see a field of every entry may not look for a value in it; an addressee may not, either."""
    letter, secrets, channel = asking
    expected = YES if letter in SEARCHERS else NOT_LET_IN
    ends = {row: search(channel, secrets.place, view.field, view.index) for row, view in secrets.held.items()}
    assert ends == dict.fromkeys(ends, expected)


def test_a_copy_opens_nothing(district: Secrets) -> None:
    """For nobody, the ledger's own officer and an auditor included."""
    view = district.held["data_used.subject"]
    asked = DiscloseRequest(origin=district.place.bureau.origin, index=view.index, field=[view.field])
    for holder, expected in ((f"{OWN}:clerk", "NotFound"), (AUDITOR, "NotFound"), (f"{PEER}:clerk", "NotFound")):
        with district.place.channel(holder, PEER) as channel:
            assert outcome(channel, "tallystick.v1.Ledger/Disclose", asked.SerializeToString()) == expected


def test_nobody_is_shown_anything(district: Secrets) -> None:
    """Whoever is nobody learns of a disclosure what he learns of everything."""
    view, place = district.held["data_used.subject"], district.place
    assert isinstance(place, District)
    for name, (channel, expected) in place.nobody().items():
        with channel:
            assert disclosed(channel, place, view, view.field) == expected, name
            assert disclosed(channel, place, view) == expected, name


def test_the_table_names_every_sensitive_field() -> None:
    """A new one takes its row."""
    rows = {line.split()[0] for line in SHOWN.strip().splitlines()[1:]}
    assert rows - PERSONS.keys() | {PERSON} == set(SENSITIVE)
