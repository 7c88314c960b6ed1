"""The stock of systems read as registrations: every column, encoding and date, and that every row is accounted for."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import Refused
from tallystick.sdk.importers.bring_in import Compared, compare
from tallystick.sdk.importers.systems import SOURCE, Standing, Stock, read_stock
from tallystick_proto.v1.statement_pb2 import SystemRegistered

ENGLISH = "code,name,project,approved_on,accepted_on,operator,replaces"
CHINESE = "系统编码,系统名称,项目,批复日期,验收日期,运维单位,替代系统"
ROW = "TAX-REG,税务登记,P-7,2019-03-01,2020/6/5,云中心,OLD"
FULL = SystemRegistered(
    name="税务登记",
    project="P-7",
    approved_on="2019-03-01",
    accepted_on="2020-06-05",
    operator="云中心",
    replaces="OLD",
)


def read(*lines: str, encoding: str = "utf-8") -> Stock:
    """A file of these lines, whose rows always add up."""
    return checked(read_stock("\r\n".join(lines).encode(encoding)))


def checked(stock: Stock) -> Stock:
    account = stock.account
    assert len(stock.registrations) + len(account.skipped) + len(account.repeated) + account.empty == account.rows
    return stock


def one(**cells: str) -> SystemRegistered:
    """The registration of one row with these cells."""
    row = {"code": "A", "name": "a", **cells}
    (registration,) = read("\t".join(row), "\t".join(row.values())).registrations
    return registration.body


# Columns, delimiters, encodings.


@pytest.mark.parametrize(
    "header", [ENGLISH, CHINESE, ENGLISH.upper(), ENGLISH.replace("_", " "), CHINESE.replace("系统", "", 2)]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_spelling_of_a_file_gives_the_same(header: str, delimiter: str, encoding: str) -> None:
    """Columns in both languages, three delimiters, three encodings."""
    stock = read(*(line.replace(",", delimiter) for line in (header, ROW)), encoding=encoding)
    (registration,) = stock.registrations
    assert (registration.code, registration.line, registration.body) == ("TAX-REG", 2, FULL)
    assert registration.values["source"] == SOURCE
    assert stock.account.encoding == encoding.removesuffix("-sig")


def test_columns_stand_in_any_order_and_unknown_ones_are_told() -> None:
    """What is in them is dropped, and the account says which."""
    stock = read("备注,名称,电话,编码", "好,税务登记,110,TAX-REG")
    assert stock.registrations[0].body == SystemRegistered(name="税务登记")
    assert stock.account.unknown_columns == ["备注", "电话"]


def test_quoted_cells_may_hold_delimiters_and_lines() -> None:
    """A row is called by the line it begins on."""
    stock = read("code,name", 'A,"one, and\r\ntwo"', "", "B,b")
    assert [(each.code, each.line) for each in stock.registrations] == [("A", 2), ("B", 5)]


# Dates.


@pytest.mark.parametrize(
    ("given_", "day"),
    [
        ("", ""),
        *((form, "2020-06-05") for form in ("2020-06-05", "2020-6-5", "2020/6/5", "2020年6月5日", " 2020年06月05日 ")),
    ],
)
def test_days_are_read_in_each_form(given_: str, day: str) -> None:
    """With or without leading zeros."""
    assert one(accepted_on=given_).accepted_on == day
    assert one(批复日期=given_).approved_on == day


@pytest.mark.parametrize(
    "given_", ["2020-13-01", "2020/2/30", "5/6/2020", "2020", "no", "2020-6/5", "2020-06-05 00:00"]
)
def test_what_is_no_day_is_dropped_and_named(given_: str) -> None:
    """Never guessed; the row stands without it."""
    stock = read("code,name,accepted_on", f"A,a,{given_}")
    assert stock.registrations[0].body == SystemRegistered(name="a")
    (remark,) = stock.account.dropped
    assert (remark.field, remark.why, remark.examples) == ("accepted_on", "not a day", (f"line 2: {given_}",))


# Rows that are not registered.


@pytest.mark.parametrize(
    ("row", "reason"),
    [(",a", "no code"), ("A,", "no name"), ("A", "no name"), ("A@1,a", "cannot be"), ("A" * 65 + ",a", "cannot be")],
)
def test_a_row_that_cannot_be_registered_is_skipped_with_its_line(row: str, reason: str) -> None:
    """It costs itself alone."""
    stock = read("code,name", row, "B,b")
    assert [each.code for each in stock.registrations] == ["B"]
    (skipped,) = stock.account.skipped
    assert skipped.line == 2
    assert reason in skipped.reason


def test_a_code_counts_once() -> None:
    """The first row of it is registered, the others are named with the first one's line."""
    stock = read("code,name", "A,a", "B,b", "A,other")
    assert [each.body.name for each in stock.registrations] == ["a", "b"]
    (repeated,) = stock.account.repeated
    assert (repeated.line, repeated.code) == (4, "A")
    assert "line 2" in repeated.reason


def test_rows_without_a_cell_are_counted() -> None:
    """As spreadsheets leave them at the end of a table."""
    assert read("code,name", "A,a", ",", " , ").account.empty == 2


def test_long_cells_are_cut_and_cells_beyond_the_columns_dropped() -> None:
    """Neither costs the row."""
    stock = read("code,name,replaces", f"A,{'x' * 300},a@b,more")
    (registration,) = stock.registrations
    assert registration.body == SystemRegistered(name="x" * 199 + "…")
    assert stock.account.cut == {("name", 200): 1}
    assert {(each.field, each.why) for each in stock.account.dropped} == {
        ("replaces", "not a code"),
        ("(no column)", "beyond the first row"),
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"name\na",
        b"code\nA",
        b"hello",
        b"code,name,code\n",
        "code,编码,name\n".encode(),
        b'code,name\nA,"a\nB,b',
        b'code,name\nA,"a"b\n',
        b"\xff\xff",
        b"code,name\nA," + b"x" * 200_000,
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    """One domain error, before anything is recorded."""
    with pytest.raises(Refused):
        read_stock(data)


cells = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["A", "2020/1/1", "", '"', "编码"])


@given(st.lists(st.lists(cells, max_size=8), max_size=6), st.sampled_from([",", ";", "\t"]))
def test_any_rows_are_accounted_for(rows: list[list[str]], delimiter: str) -> None:
    """Whatever stands in its cells, every row is one of four things, or the file is refused."""
    with suppress(Refused):
        read(*(delimiter.join(row) for row in [ENGLISH.split(","), *rows]))


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Garbage raises one domain error."""
    with suppress(Refused):
        checked(read_stock(b"code,name\n" + data))


# What an import would do.


def test_only_new_and_changed_rows_are_wanted() -> None:
    """A second run has nothing to record, a changed row its change."""
    before = read("code,name", "A,a", "B,b")
    stands = {each.code: each.body for each in before.registrations}
    compared = Compared()
    assert list(compare(before.registrations, stands, compared)) == []
    after = read("code,name,operator", "A,a,云中心", "B,b,", "C,c,")
    assert [each.code for each in compare(after.registrations, stands, compared)] == ["A", "C"]
    assert (compared.changed, compared.new, compared.unchanged) == (["A"], 1, 3)


def test_systems_a_file_no_longer_names_are_told() -> None:
    """Those of an earlier import that were not retired."""
    standing = {
        code: Standing(FULL, index, source, retired)
        for index, (code, source, retired) in enumerate(
            [("A", SOURCE, None), ("B", SOURCE, None), ("C", "", None), ("D", SOURCE, 9)]
        )
    }
    assert read("code,name", "A,a").gone(standing) == ["B"]
