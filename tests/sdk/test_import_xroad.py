"""X-Road's records read as halves of exchanges: whose they are, what is kept, and that every one is accounted for."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.compose import compose
from tallystick.core.errors import Refused
from tallystick.core.kinds import KINDS
from tallystick.core.validation import RULES
from tallystick.sdk.importers.xroad_half import Half
from tallystick.sdk.importers.xroad_map import XRoadMap
from tests.harness.xroad import (
    CLIENT,
    DATA,
    FORMS,
    MARKET,
    MESSAGE,
    RECORD,
    SAMPLE_MAP,
    SERVICE,
    TAXATION,
    both,
    needs_data,
    read,
    read_bytes,
    table,
)

FAULT = {"succeeded": False, "faultCode": "Server.ServerProxy.ServiceFailed"}


def one(**fields: Any) -> Half:
    """The half of the one record, with these fields instead; None for a field that is not there."""
    record = {name: value for name, value in {**RECORD, **fields}.items() if value is not ...}
    halves, account = read(record)
    assert list(account.skipped) == []
    (half,) = halves
    return half


def why_skipped(record: Any) -> tuple[str, str]:
    """The field, and the reason why a record was skipped."""
    halves, account = read(record)
    (remark,) = account.skipped
    assert (halves, remark.count) == ([], 1)
    assert remark.examples[0].startswith("file, ")
    return remark.field, remark.why


# Real records.


@needs_data
def test_every_message_of_the_open_data_pairs() -> None:
    """Both bureaus get fifty halves of the sample, and each two agree on exchange, service and sizes."""
    sent, of_sent = read_bytes(DATA.read_bytes(), MARKET, SAMPLE_MAP)
    received, of_received = read_bytes(DATA.read_bytes(), TAXATION, SAMPLE_MAP)
    assert [account.records for account in (of_sent, of_received)] == [100, 100]
    assert (dict(of_sent.others), dict(of_received.others)) == ({TAXATION: 50}, {MARKET: 50})
    by_exchange = {half.values["exchange"]: half for half in received}
    assert len(sent) == len(by_exchange) == 50
    for half in sent:
        other = by_exchange[half.values["exchange"]]
        assert (half.kind, other.kind) == ("DataSent", "DataReceived")
        assert (half.values["to"], other.values["sender"]) == (TAXATION, MARKET)
        for name in ("service", "request_size", "size", "happened_at"):
            assert half.values[name] == other.values[name]
    assert sent[0].values["service"] == "ee-dev/COM/11022625/ef-dev-adm/estfeedData/v1"


# Whose a record is.


def test_the_side_and_the_map_say_whose_half_it_is() -> None:
    """The producer's record is the sending of the service's bureau, the client's the receiving of the client's."""
    for bureau, kind in ((MARKET, "DataSent"), (TAXATION, "DataReceived")):
        halves, account = read(*both(), bureau=bureau)
        assert [half.kind for half in halves] == [kind]
        assert account.others.total() == 1
    assert dict(read(*both(), bureau="planning")[1].others) == {MARKET: 1, TAXATION: 1}


def test_both_halves_may_be_of_one_bureau() -> None:
    """They stand on one ledger and still are two."""
    halves, account = read(*both(), bureaus=XRoadMap({SERVICE: MARKET, CLIENT: MARKET}))
    assert [(half.kind, half.values["exchange"]) for half in halves] == [
        ("DataSent", UUID(MESSAGE).bytes),
        ("DataReceived", UUID(MESSAGE).bytes),
    ]
    assert account.duplicates == 0


def test_what_the_map_lacks_is_skipped_and_named() -> None:
    """Every identifier without a bureau is counted, of records that could not be placed for want of it."""
    stranger = {"clientSubsystemCode": "stranger"}
    _, account = read(*both(**stranger))
    assert [(each.field, each.why) for each in account.skipped] == [("client", "not in the map")] * 1
    assert {str(each): count for each, count in account.unmapped.items()} == {"ee-dev/COM/2/stranger": 2}
    _, account = read(*both(), bureaus=XRoadMap({}))
    assert sorted(map(str, account.unmapped)) == ["ee-dev/COM/1/registry", "ee-dev/COM/2/office"]


# What becomes of the fields.


def test_a_message_id_is_the_exchange() -> None:
    """A UUID is that UUID; any other text the first 16 bytes of its BLAKE3."""
    assert one().values["exchange"] == UUID(MESSAGE).bytes
    assert one(messageId="EE-77/1").values["exchange"] == blake3(b"EE-77/1").digest()[:16]
    assert one(messageId=77).values["exchange"] == blake3(b"77").digest()[:16]


@pytest.mark.parametrize(
    ("fields", "service"),
    [
        ({}, "ee-dev/COM/1/registry/licence/v1"),
        ({"serviceVersion": None}, "ee-dev/COM/1/registry/licence"),
        ({"serviceVersion": "", "serviceCode": "\\N"}, "ee-dev/COM/1/registry"),
        ({"serviceCode": "c" * 400}, "ee-dev/COM/1/registry/" + "c" * 233 + "…"),
    ],
)
def test_the_service_is_named_in_full(fields: dict[str, Any], service: str) -> None:
    """Without empty parts at its end, and as long as its field holds."""
    assert one(**fields).values["service"] == service


@pytest.mark.parametrize(
    "name", ["requestSize", "requestSoapSize", "requestRestSize", "request_soap_size", "REQUESTSIZE"]
)
@pytest.mark.parametrize(
    "value", [7, 7.0, "7", "7.0", {"$numberLong": "7"}, {"$numberInt": "7"}, {"$numberDouble": "7.0"}]
)
def test_sizes_are_known_by_all_their_names_and_forms(name: str, value: object) -> None:
    """The size of the message, whichever version of X-Road and whichever export wrote it; never the container's."""
    assert one(**{"requestSize": ..., name: value}).values["request_size"] == 7


def test_a_field_under_two_names_must_say_one_thing() -> None:
    """The corrector repeats a size under its new name."""
    assert one(requestSoapSize="1268").values["request_size"] == 1268
    assert why_skipped({**RECORD, "requestSoapSize": 9}) == ("requestSize", "stands twice, with two values")
    assert why_skipped({**RECORD, "messageid": "other"}) == ("messageId", "stands twice, with two values")


@pytest.mark.parametrize("value", [None, "", "\\N", "null", "None", float("nan"), {"$undefined": True}, ...], ids=str)
def test_what_may_be_absent_is_counted(value: object) -> None:
    """Times, sizes and the service's code: the half is told without, and the account says so."""
    names = ("requestInTs", "requestSize", "responseSize", "serviceCode")
    half = one(**dict.fromkeys(names, value))
    assert set(half.without) == set(names)
    assert (half.values["happened_at"], half.values["request_size"], half.values["size"]) == (0, None, None)


@pytest.mark.parametrize(
    ("given", "kind"),
    [("Producer", "DataSent"), ("PRODUCER", "DataSent"), (" producer ", "DataSent"), ("provider", "DataSent")],
)
def test_odd_spellings_of_the_server_are_read_and_counted(given: str, kind: str) -> None:
    """A side is known by its letters."""
    halves, account = read({**RECORD, "securityServerType": given})
    assert [half.kind for half in halves] == [kind]
    assert sum(account.read_as.values()) == (given != "Producer")


@pytest.mark.parametrize(
    ("given", "succeeded"),
    [
        *((given, True) for given in (True, "true", "t", 1, "True", "TRUE", "1", "yes")),
        *((given, False) for given in (False, "false", "f", 0, "False", "F", "0", "no")),
    ],
    ids=repr,
)
def test_odd_spellings_of_success_are_read(given: object, succeeded: bool) -> None:
    """As the service, PostgreSQL, MongoDB and Python write it."""
    assert one(succeeded=given).kind == ("DataSent" if succeeded else "ExchangeFailed")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (FAULT, "Server.ServerProxy.ServiceFailed"),
        ({"succeeded": False, "soapFaultCode": "Client.#1@x"}, "Client._1_x"),
        ({"succeeded": False, "statusCode": 500}, "http-500"),
        ({"succeeded": False}, "unstated"),
        ({"succeeded": False, "faultCode": "F" * 200}, "F" * 63 + "…"),
    ],
)
def test_a_failure_is_recorded_as_one(fields: dict[str, Any], reason: str) -> None:
    """With its side and a coded reason, instead of the half."""
    half = one(**fields)
    assert (half.kind, half.values["side"], half.values["reason"]) == ("ExchangeFailed", "sending", reason)
    assert (half.values["other"], half.values["words"]) == (TAXATION, "ee-dev/COM/1/registry/licence/v1")
    assert (
        read({**RECORD, **fields, "securityServerType": "Client"}, bureau=TAXATION)[0][0].values["side"] == "receiving"
    )


def test_a_failed_call_may_have_named_no_service() -> None:
    """Then the other side is not known, and counted."""
    nobody = {name: None for name in RECORD if name.startswith("service")}
    (half,), _ = read({**RECORD, **FAULT, **nobody, "securityServerType": "Client"}, bureau=TAXATION)
    assert half.values["other"] is None
    assert "other side" in half.without


def test_a_person_is_never_kept() -> None:
    """Who asked is counted as dropped, and stands in no value."""
    (half,), account = read({**RECORD, "messageUserId": "EE37701010101"})
    assert account.dropped["messageUserId", "a person"] == 1
    assert "EE37701010101" not in repr(half)


# What is skipped, and what is a duplicate.


@pytest.mark.parametrize(
    ("fields", "name", "why"),
    [
        ({"messageId": None}, "messageId", "missing"),
        ({"messageId": {"a": 1}}, "messageId", "not text"),
        ({"messageId": "\ud800"}, "messageId", "not text"),
        ({"securityServerType": ""}, "securityServerType", "missing"),
        ({"securityServerType": "Proxy"}, "securityServerType", "unknown value"),
        ({"succeeded": "null"}, "succeeded", "missing"),
        ({"succeeded": "maybe"}, "succeeded", "unknown value"),
        ({"serviceMemberCode": None}, "serviceMemberCode", "missing"),
        ({"clientXRoadInstance": None}, "clientXRoadInstance", "missing"),
        ({"requestInTs": "yesterday"}, "requestInTs", "not a whole number"),
        ({"requestInTs": -5}, "requestInTs", "not a whole number"),
        ({"requestInTs": 10**17}, "requestInTs", "not a time"),
        ({"requestSize": "1 kB"}, "requestSize", "not a whole number"),
        ({"responseSize": True}, "responseSize", "not a whole number"),
        ({"responseSize": 10**30}, "responseSize", "not a whole number"),
    ],
    ids=str,
)
def test_what_cannot_be_told_is_skipped_with_its_reason(fields: dict[str, Any], name: str, why: str) -> None:
    """One bad record costs itself alone."""
    assert why_skipped({**RECORD, **fields}) == (name, why)


@pytest.mark.parametrize("value", [None, 7, "text", [], [1], {"client": None, "producer": None}, {}], ids=repr)
def test_what_is_no_record_is_skipped(value: object) -> None:
    """Whatever stands in the list."""
    assert why_skipped(value)


def test_a_name_that_stands_twice_is_not_chosen_from() -> None:
    """Neither value of an object that names a field twice counts."""
    data = json.dumps([RECORD]).replace('"messageId"', '"messageId": "x", "messageId"')
    assert [each.why for each in read_bytes(data.encode())[1].skipped] == ["names a field twice"]


def test_a_half_must_stand_where_it_belongs() -> None:
    """A document's parts may leave out the server that their place names, and may not contradict it."""
    bare = {name: value for name, value in RECORD.items() if name != "securityServerType"}
    assert [half.kind for half in read({"producer": bare})[0]] == ["DataSent"]
    assert why_skipped({"client": RECORD}) == ("securityServerType", "not what the record stands under")


def test_a_record_counts_once() -> None:
    """In one file, and against what stands already."""
    (half,), account = read(RECORD, RECORD, {**RECORD, "messageIssue": "x"})
    assert (account.imported, account.compared.repeated) == (1, 2)
    halves, account = read(RECORD, RECORD, stands={half.key: half.says})
    assert (halves, account.compared.unchanged, account.duplicates) == ([], 2, 2)


@pytest.mark.parametrize("fields", [{"responseSize": 1}, {"serviceCode": "x"}, FAULT, {"requestInTs": 1}], ids=str)
def test_two_records_of_one_half_that_differ_are_not_chosen_from(fields: dict[str, Any]) -> None:
    """The first stands; the second is skipped, and is no duplicate."""
    halves, account = read(RECORD, {**RECORD, **fields})
    assert (len(halves), account.duplicates) == (1, 0)
    assert [each.why for each in account.skipped] == ["another record of this message and side says otherwise"]


# Whatever comes.


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.floats(),
    st.text(st.characters(), max_size=6),
    st.sampled_from(
        ["\\N", "null", "t", "False", "CLIENT", "producer", "registry", "office", MESSAGE, "x" * 300, "@#"]
    ),
    st.dictionaries(st.sampled_from(["$numberLong", "$oid", "$date", "x"]), st.text(max_size=3), max_size=2),
    st.lists(st.integers(), max_size=2),
)
mutated = st.builds(
    lambda changes, gone: {name: value for name, value in {**RECORD, **changes}.items() if name not in gone},
    st.dictionaries(st.sampled_from([*RECORD, "requestSoapSize", "faultCode", "statusCode", "y"]), values, max_size=4),
    st.sets(st.sampled_from(list(RECORD)), max_size=1),
)
documents = mutated | st.fixed_dictionaries({"client": mutated | values, "producer": mutated}) | values


@given(st.lists(documents, max_size=5), st.sampled_from(["a list", "lines", "records in an object"]))
def test_mutated_records_are_accounted_for_and_what_is_wanted_is_valid(found: list[Any], form: str) -> None:
    """The counts add up, and every half passes the checks of its kind, whatever stands in its fields."""
    halves: list[Half] = []
    with suppress(Refused):  # of lines, where none of the first is a document
        halves, _ = read_bytes(FORMS[form](found), bureaus=XRoadMap({SERVICE: MARKET, CLIENT: MARKET}))
    for half in halves:
        statement = compose(half.kind, "taxation:clerk", half.values).statement
        rules = RULES[statement.head.kind]
        rules.head.check(statement.head)
        rules.body.check(getattr(statement, KINDS[statement.head.kind].field))


@given(st.lists(mutated, max_size=4), st.sampled_from([",", ";", "\t"]))
def test_mutated_tables_are_accounted_for(found: list[dict[str, Any]], delimiter: str) -> None:
    """As tables too, where every value is text."""
    with suppress(UnicodeEncodeError):  # no file can hold a lone surrogate
        read_bytes(table(delimiter, found))
