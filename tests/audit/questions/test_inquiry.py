"""Inquiries: what they ask for, what of an answer they take, and that they agree with a full pass."""

from __future__ import annotations

from tallystick.audit.entry import On
from tallystick.audit.inquiry import Cited, Find, Inquiry, answers_to, collect
from tallystick_proto.v1.statement_pb2 import DataSent, DataUsed
from tests.harness.district import District
from tests.harness.moving import moved, used

VERSION = "SCJG-0012@1"
END_US = 1 << 60


def district() -> District:
    """Five uses on one ledger and two halves of an exchange, each a second later."""
    made = District("market", "tax")
    for _ in range(5):
        used(made, "tax", VERSION)
    moved(made, "x-1", VERSION, "market", "tax")
    return made


def found(where: District, wanted: Find | Cited, until_us: int = END_US) -> list[str]:
    return [entry.reference for entry in where.find(wanted, until_us)]


def test_kinds_are_any_of_and_terms_all_of() -> None:
    """A resource's code finds what speaks of its versions."""
    where = district()
    assert len(found(where, Find.of(version=VERSION))) == 7
    assert found(where, Find.of(DataSent, resource="SCJG-0012")) == ["market#0"]
    assert found(where, Find.of(DataSent, DataUsed, bureau="market", version=VERSION)) == ["market#0"]
    assert found(where, Find.of(DataSent, version=VERSION, counterparty="market")) == []
    assert found(where, Find.of(bureau="nobody", version=VERSION)) == []


def test_the_last_is_that_of_each_kind_and_ledger() -> None:
    """Of what was recorded before the end of the day."""
    where = district()
    assert found(where, Find.of(DataUsed, version=VERSION).last()) == ["tax#4"]
    assert sorted(found(where, Find.of(version=VERSION).last())) == ["market#0", "tax#5"]
    second = 1_000_000
    assert found(where, Find.of(DataUsed, version=VERSION).last(), where.now_us - 3 * second) == ["tax#2"]


def test_since_takes_what_was_recorded_then_or_later() -> None:
    """And nothing after the day, though it comes first."""
    where, second = district(), 1_000_000
    third = where.now_us - 4 * second
    wanted = Find.of(DataUsed, version=VERSION).since(third)
    assert found(where, wanted) == ["tax#4", "tax#3", "tax#2"]
    assert found(where, wanted, third + second) == ["tax#2"]
    assert found(where, wanted, third) == []


def test_taking_ends_at_the_last_that_is_wanted() -> None:
    """A popular resource is not read to its beginning."""
    where = district()
    entries = [entry for entry in where["tax"].on_entries() if isinstance(entry, On)][::-1]
    for wanted, most in ((Find.of().last(), 1), (Find.of().since(entries[2].recorded_at_us), 4)):
        read = iter(entries)
        list(wanted.taken(read, END_US))
        assert len(entries) - len(list(read)) == most


def test_what_was_asked_is_not_asked_again() -> None:
    """The answer is given again; each entry is held once, in the order of the ledgers."""
    where, asked = district(), list[Find | Cited]()

    def inquire() -> Inquiry:
        (sent,) = yield Find.of(DataSent, version=VERSION)
        (received,) = yield answers_to(sent)
        assert (yield answers_to(sent)) == [received]
        assert (yield Cited(received.head.about)) == [sent]
        assert (yield Cited(received.head.about)) == [sent]

    def look(wanted: Find | Cited) -> list[On[object]]:
        asked.append(wanted)
        return list(where.find(wanted, END_US))

    assert [entry.reference for entry in collect(inquire(), look)] == ["market#0", "tax#5"]
    assert len(asked) == 3
