"""How statements read: every kind, every field, in both languages and in JSON, from the kind's own description."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tallystick.cli.describe import Describer, kind_named
from tallystick.core.charter_note import parse_charter
from tallystick.core.kinds import HEAD, KINDS, Kind, field_options
from tallystick.core.moments import moment_json, moment_text
from tallystick.core.note import parse_note
from tallystick.core.statement import Read, read
from tallystick_proto.v1.statement_pb2 import Statement
from tests.harness.office import Office

OFFICE = Office("market")
CHARTER = parse_charter(parse_note(OFFICE.charter()[0]).text)
FORMS = {
    "actor": "market:clerk",
    "bureau_id": "market",
    "day": "2027-03-09",
    "label": "a label",
    "origin": OFFICE.origin,
    "resource_code": "R-1",
    "scheme": "local",
    "update_cycle": "R/P1M",
    "version_ref": "R-1@1",
}
MOMENT_US = 1_800_000_000_123_456


def sample(field: FieldDescriptor, into: Message) -> None:
    """Give a field a value that passes its options."""
    options = field_options(field)
    inner: Any = getattr(into, field.name)
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        message = inner.add() if field.is_repeated else inner
        for each in (
            [message.DESCRIPTOR.fields[0]] if message.DESCRIPTOR.name == "Digest" else message.DESCRIPTOR.fields
        ):
            sample(each, message)
        return
    value: Any
    if options.format == "moment":
        value = MOMENT_US
    elif field.type == FieldDescriptor.TYPE_STRING:
        value = FORMS.get(options.format, "text")
    elif field.type == FieldDescriptor.TYPE_BYTES:
        value = b"\x07" * (options.len or 8)
    elif field.type == FieldDescriptor.TYPE_BOOL:
        value = True
    else:
        value = 1
    if field.is_repeated:
        inner.append(value)
    else:
        setattr(into, field.name, value)


def full(kind: Kind) -> Read:
    """A statement that says all its kind can say."""
    statement = Statement()
    for use in kind.uses:
        if use.in_head:
            sample(use.field, statement.head)
        else:
            sample(use.field, getattr(statement, kind.field))
    getattr(statement, kind.field).SetInParent()
    statement.head.kind = kind.number
    found = read(statement.SerializeToString())
    assert found.understood
    return found


each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)


@each_kind
@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_a_statement_says_is_shown_under_its_label(kind: Kind, language: str) -> None:
    """One fact a field, none without a label or a text."""
    facts = Describer(CHARTER, language, UTC).facts(full(kind))
    said = [use for use in kind.uses if use.name not in ("kind", "actor")]
    assert [label for label, _ in facts] == [use.label(language) for use in said]
    assert all(label and values and all(values) for label, values in facts)


@each_kind
def test_json_has_everything_under_the_sdks_keywords(kind: Kind) -> None:
    """Keys are the kind's names, moments in two forms, and all of it is JSON."""
    said = Describer(CHARTER, "en", UTC).said_json(full(kind))
    names = {use.name for use in kind.uses} - {"kind", "actor"}
    moments = {f"{use.name}_us" for use in kind.uses if use.options.format == "moment"}
    assert set(said) == names | moments
    assert json.loads(json.dumps(said, allow_nan=False)) == said


@each_kind
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_summary_is_one_bounded_line(kind: Kind, language: str) -> None:
    """However much a statement says."""
    describer = Describer(CHARTER, language, UTC)
    line = describer.summary(full(kind))
    assert len(line) <= 160
    assert "\n" not in line
    assert describer.kind(full(kind)) == kind.label(language)


def test_a_note_is_shown_line_by_line() -> None:
    """As it is signed, without the blank line before its signatures; in a summary the lines stand side by side."""
    kind = KINDS[73]
    statement = Statement()
    statement.head.kind, statement.head.actor = kind.number, "market:node"
    statement.checkpoint_witnessed.note = "one\n3\nroot\n\n— one AAAA\n"
    shown = read(statement.SerializeToString())
    describer = Describer(CHARTER, "en", UTC)
    assert dict(describer.facts(shown))["note"] == ["one", "3", "root", "— one AAAA"]
    assert describer.summary(shown) == "one 3 root — one AAAA"


@each_kind
def test_a_kind_is_known_by_all_its_names(kind: Kind) -> None:
    """Name, verb, label and number lead to the same kind."""
    for name in (kind.name, kind.name.upper(), kind.verb, kind.zh, kind.en, str(kind.number)):
        assert kind_named(name) == kind
    assert kind_named("nothing") is None


def test_values_read_as_people_write_them() -> None:
    """A citation is a reference, a bureau its short name, a moment a time, a digest has its tag."""
    facts = dict(Describer(CHARTER, "zh", UTC).facts(full(KINDS[30])))
    assert facts["接收方"] == ["市场监督管理局"]
    assert facts["同意"][0].startswith("market#1 (leaf 0707")
    assert facts["摘要"] == [f"blake3:{'07' * 32}"]
    assert facts["发生时间"] == ["2027-01-15 08:00:00+00:00"]
    said = Describer(CHARTER, "en", UTC).said_json(full(KINDS[30]))
    assert said["grant"] == {"reference": "market#1", "origin": OFFICE.origin, "index": 1, "leaf": "07" * 32}
    assert said["happened_at"] == "2027-01-15T08:00:00.123456Z"
    assert said["happened_at_us"] == MOMENT_US


def test_a_ledger_the_charter_does_not_know_is_named_by_its_origin() -> None:
    """A citation may lead anywhere."""
    assert Describer(CHARTER, "en", UTC).reference("elsewhere.example/x", 7) == "elsewhere.example/x#7"


def test_a_kind_of_a_later_version_still_shows_its_head() -> None:
    """It is verified and not understood, which is no fault."""
    statement = Statement()
    statement.head.kind = 99
    statement.head.actor = "market:clerk"
    statement.head.resource = "R-1"
    data = statement.SerializeToString() + b"\x9a\x06\x02\x08\x01"  # field 99, which nobody knows yet
    later = read(data)
    assert later.kind is None
    describer = Describer(CHARTER, "en", UTC)
    assert describer.kind(later) == "kind 99"
    assert describer.facts(later) == [("resource", ["R-1"])]
    assert describer.summary(later) == "R-1"
    assert describer.said_json(later) == {"resource": "R-1"}


@pytest.mark.parametrize("at_us", [0, MOMENT_US, 2**63 - 1, 253_402_300_800_000_000])
def test_a_time_beyond_any_calendar_is_still_shown(at_us: int) -> None:
    """A node may claim any time."""
    assert moment_text(at_us, UTC)
    assert (moment_json(at_us) is None) == (at_us > MOMENT_US)


def test_the_head_has_no_field_that_is_not_described() -> None:
    """A new field of the head is labelled in its options, and so shown."""
    assert all(field_options(field).zh for field in HEAD.fields)
