"""Asking for a disclosure: what is shown must open what was asked for, and is carried only where it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.charter_note import open_charter
from tallystick.core.errors import NotFound, VerificationFailed
from tallystick.core.evidence import verify_presence
from tallystick.sdk.reader import LedgerReader
from tallystick_node import keyspace
from tallystick_node.store.store import Batch
from tallystick_proto.v1.entry_pb2 import Disclosure
from tallystick_proto.v1.ledger_pb2 import DiscloseAnswer, PresenceAnswer, SubmitRequest
from tests.harness.desk import Desk, desk_in

FIELD = "data_used.subject"
PERSON = "duty_assigned.person"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """23 entries, then two uses: #23 of one, and #24 of another."""
    with desk_in(tmp_path) as made:
        made.writer.submit(SubmitRequest(submission=made.office.uses("citizen 1", "citizen 2")))
        yield made


@pytest.fixture
def reader(desk: Desk) -> LedgerReader:
    return desk.reader()


def disclosure(position: int) -> Disclosure:
    """What opens the commitment of one of the two uses."""
    value = f"citizen {position + 1}".encode()
    return Disclosure(position=position, field=FIELD, salt=bytes([position] * 32), value=value)


def test_what_is_asked_for_is_carried(desk: Desk, reader: LedgerReader) -> None:
    """In what is shown, and in an evidence file, which verifies offline; named or not."""
    charter = open_charter(*desk.office.charter())
    for fields in ([], [FIELD]):
        assert reader.show(24, fields).disclosures == (disclosure(1),)
        assert verify_presence(reader.prove(24, fields), charter).disclosures == (disclosure(1),)
    assert reader.show(0, []).disclosures == ()


def test_what_is_not_asked_for_is_not_carried(desk: Desk, reader: LedgerReader) -> None:
    """Nobody is asked for it; and a node that shows it all the same, with the proof, puts it into no file."""

    def generous(answer: PresenceAnswer) -> None:
        answer.presence.disclosures.append(disclosure(0))

    desk.node.lies["ProvePresence"] = generous
    assert reader.show(23).disclosures == ()
    assert b"citizen" not in reader.prove(23)
    assert verify_presence(reader.prove(23), open_charter(*desk.office.charter())).disclosures == ()
    assert "Disclose" not in desk.node.calls
    assert reader.show(23, [FIELD]).disclosures == (disclosure(0),)


def showing(*disclosures: Disclosure) -> Callable[[DiscloseAnswer], DiscloseAnswer]:
    return lambda _: DiscloseAnswer(disclosure=disclosures)


def bent(**fields: Any) -> Callable[[DiscloseAnswer], DiscloseAnswer]:
    """What opens the first use, with some fields otherwise."""
    made = disclosure(0)
    for name, value in fields.items():
        setattr(made, name, value)
    return showing(made)


LIES = {
    "another value": bent(value=b"citizen 2"),
    "another salt": bent(salt=bytes([7]) * 32),
    "a short salt": bent(salt=b"x"),
    "another entry's": showing(disclosure(1)),
    "another place": bent(position=1),
    "another field": bent(field=PERSON),
    "another field besides": showing(disclosure(0), Disclosure(field=PERSON, salt=bytes(32), value=b"citizen 1")),
    "twice": showing(disclosure(0), disclosure(0)),
}


@pytest.mark.parametrize("fields", [[FIELD], []], ids=["named", "all"])
@pytest.mark.parametrize("name", LIES)
def test_what_does_not_open_it_is_refused(desk: Desk, reader: LedgerReader, name: str, fields: list[str]) -> None:
    """The node is named, and the value is in no sentence; nothing is shown, and no file made."""
    desk.node.lies["Disclose"] = LIES[name]
    for ask in (reader.show, reader.prove):
        with pytest.raises(VerificationFailed, match="market") as raised:
            ask(23, fields)
        assert "citizen" not in str(raised.value)


def test_what_is_not_held_is_said(desk: Desk, reader: LedgerReader) -> None:
    """Where it is named: no file is made without what it was to carry."""
    batch = Batch(deletes=[keyspace.disclosure(23, FIELD), keyspace.data_key(23, FIELD)])
    desk.node.sequencer.ledger.store.write(batch)
    for ask in (reader.show, reader.prove):
        with pytest.raises(NotFound, match=f"holds nothing that opens {FIELD}"):
            ask(23, [FIELD])
    assert reader.show(23, []).disclosures == ()
