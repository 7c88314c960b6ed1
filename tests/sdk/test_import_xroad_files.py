"""The files X-Road's records come in: every form gives the same, and what is broken costs as little as it can."""

from __future__ import annotations

import gzip
import io
import json
from contextlib import suppress
from itertools import chain, islice, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import Refused
from tallystick.sdk.importers import json_stream
from tallystick.sdk.importers.json_stream import list_elements
from tallystick.sdk.importers.xroad_input import Source
from tests.harness.xroad import FORMS, RECORD, both, lines, positional, read, read_bytes


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_halves(form: str, bom: bytes, packed: bool) -> None:
    """Whatever form the records of three messages come in, what is recorded of them is the same."""
    records = [record for number in range(3) for record in both(messageId=f"m{number}")]
    expected, _ = read(*records)
    data = bom + FORMS[form](records)
    halves, account = read_bytes(gzip.compress(data) if packed else data)
    assert [(half.kind, half.values) for half in halves] == [(half.kind, half.values) for half in expected]
    assert (len(halves), account.records, account.cut_short) == (3, 6, [])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_over_the_edges_of_its_buffers(form: str) -> None:
    """Many records, of letters of several bytes, are read as few are."""
    records = [record for number in range(400) for record in both(messageId=f"消息{number}", messageIssue="事" * 300)]
    halves, account = read_bytes(FORMS[form](records))
    assert (len(halves), account.records) == (400, 800)


@pytest.mark.parametrize("data", [b"", b" \n", b"[]", b'{"records": []}', gzip.compress(b"", mtime=0)], ids=repr)
def test_no_records_are_no_error(data: bytes) -> None:
    """A day without traffic."""
    assert read_bytes(data)[1].records == 0


@pytest.mark.parametrize("data", [b"hello\n", b"\x00\x01", b"\xff\xfe{", b"a,b,c\n1,2,3\n", b"<xml/>"], ids=repr)
def test_what_has_none_of_the_forms_is_refused(data: bytes) -> None:
    """Before anything is read."""
    with pytest.raises(Refused):
        Source("file", io.BytesIO(data))


# What breaks.


@pytest.mark.parametrize("broken", ['{"messageId": ', '{"a" 1}', "}", '{"a": "x', "[[", "nul", '"', "{'a': 1}"])
def test_a_broken_line_costs_itself_alone(broken: str) -> None:
    """Of documents one a line, those before and after it are read."""
    good = [json.dumps({**RECORD, "messageId": f"m{number}"}) for number in range(3)]
    halves, account = read_bytes("\n".join([good[0], broken, *good[1:]]).encode())
    assert len(halves) == 3
    assert [(each.count, each.examples[0][:12]) for each in account.skipped] == [(1, "file, line 2")]


@pytest.mark.parametrize("broken", [b"\xff\xfe", b"1\t2\t3", b"\t" * 29, b"x" * 2_000_000])
def test_a_broken_row_costs_itself_alone(broken: bytes) -> None:
    """Text that is none, and rows of another width."""
    rows = positional([{**RECORD, "messageId": f"m{number}"} for number in range(3)]).splitlines()
    halves, account = read_bytes(b"\n".join([rows[0], broken, *rows[1:]]))
    assert (len(halves), account.records, account.skipped.total()) == (3, 4, 1)


@pytest.mark.parametrize("end", [200, 700, -1, -2, -40])
def test_a_list_that_ends_too_soon_is_read_as_far_as_it_goes(end: int) -> None:
    """What came before is imported, and that the rest is missing is told."""
    records = [{**RECORD, "messageId": f"m{number}"} for number in range(3)]
    data = json.dumps({"records": records}).encode()
    halves, account = read_bytes(data[:end])
    assert len(halves) == data[:end].count(b"}") - data[:end].endswith(b"]}")
    assert len(account.cut_short) == 1


def test_a_damaged_archive_is_read_as_far_as_it_goes() -> None:
    """And told of, whether it ends too soon or its check fails."""
    whole = gzip.compress(lines([{**RECORD, "messageId": f"m{number}"} for number in range(3000)]))
    for data in (whole[:-500], whole[:-8] + bytes(8)):
        halves, account = read_bytes(data)
        assert 0 < len(halves) <= 3000
        assert len(account.cut_short) == 1


def test_a_long_list_is_never_held_whole() -> None:
    """A list that does not end gives its first elements all the same."""
    chunks = chain([b'{"records": ['], repeat(b'{"messageId": "m"},' * 1000))
    assert len(list(islice(list_elements(lambda _: next(chunks), "records"), 10_000))) == 10_000


@given(
    st.binary(max_size=80)
    | st.sampled_from([b"[", b"{", b'{"records":[']).flatmap(lambda a: st.binary(max_size=40).map(lambda b: a + b))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Garbage raises one domain error, or is accounted for."""
    with suppress(Refused):
        read_bytes(data)


@pytest.mark.parametrize("line", ["{", "[", "[1,", "[" + "1," * 2_000, '{"a":'], ids=lambda line: line[:6])
def test_lines_that_begin_and_never_end_are_not_parsed_over_and_over(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file in which each line begins a document and none ends it, little more is parsed than it has."""
    decoded, parsed = json_stream._decoded, [0]

    def counting(text: str) -> object:
        parsed[0] += len(text)
        return decoded(text)

    monkeypatch.setattr(json_stream, "_decoded", counting)
    count = 2_000
    halves, account = read_bytes(b'{"records": 1}\n' + f"{line}\n".encode() * count)
    assert (halves, account.records) == ([], count + 1)
    assert parsed[0] < 2 * count * (len(line) + 1)
