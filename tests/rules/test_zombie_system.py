"""`zombie-system`: a system that is alive, and that nobody is recorded to have used for as long as the charter says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import RULEBOOK, District, Said
from tests.harness.sharing import spoken, used
from tests.harness.stories import VERSION, at_midnight, declared, digest_of, district, only, unjudged

BEGIN, LAST, DAY = "2027-03-01", "2027-08-28", "2027-08-29"  # 180 and 181 days after it began


def registered(where: District, by: str = "tax") -> Said:
    return where[by].register_system("S-1", name="Portal", accepted_on="2020-01-01")


def report(where: District, since: str, until: str, users: int = 0, operations: int = 0) -> Said:
    return where["tax"].report_system_use("S-1", since=since, until=until, users=users, operations=operations)


def test_it_trips_alone_and_says_so() -> None:
    """Whose system it is answers, for an absence within the coverage, from the day after the last allowed."""
    where = district()
    system = registered(where)
    assert not where.audit(LAST)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("zombie-system", "tax", (system.reference,))
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    at_midnight(where, LAST)
    assert finding.at_us == where.now_us, "it arose when the last day was over, not when the system was registered"
    assert spoken(where, finding) == (
        "tax keeps S-1 alive, and nobody is recorded to have used it since 2027-03-01"
        " (absent within the coverage, beyond it not covered)",
        "tax局 的系统 S-1 仍在运行，自 2027年3月1日 起无使用记录（核查范围内无记录，范围外未覆盖）",
    )
    assert only(where, "2028-03-01").id == finding.id


Use = Callable[[District], object]


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda d: report(d, BEGIN, "2027-03-02", users=1), id="users reported"),
        pytest.param(lambda d: report(d, BEGIN, "2027-03-02", operations=1), id="operations reported"),
        pytest.param(lambda d: used(d, system="S-1"), id="data used"),
        pytest.param(lambda d: d["tax"].provide_version("T-1@1", digest=digest_of(), system="S-1"), id="data provided"),
    ],
)
def test_any_recorded_use_puts_it_off(use: Use) -> None:
    """For as long again, from the last day it was used."""
    where = district()
    registered(where)
    declared(where)
    declared(where, "T-1", by="tax")
    where.on("2027-03-02")
    use(where)
    assert "zombie-system" not in {finding.rule for finding in where.audit(DAY)}
    found = [finding for finding in where.audit("2027-08-30") if finding.rule == "zombie-system"]
    assert [finding.facts["since"].isoformat() for finding in found] == ["2027-03-02"]  # type: ignore[union-attr]


def test_an_exchange_by_one_of_its_actors_is_a_use() -> None:
    """The actor was registered as the system's; the entry need not name it again."""
    where = district()
    registered(where, by="market")
    declared(where)
    key = {"key": bytes(32), "role": "system", "possession": bytes(64)}
    where["market"].say("register_actor", by="registrar", registered="market:gateway", system="S-1", **key)
    where.on("2027-03-02")
    sent = where["market"].say("send", by="gateway", exchange="x", to="tax", version=VERSION, digest=digest_of())
    where["tax"].receive("x", sender="market", version=VERSION, digest=digest_of(), sent=sent)
    assert not where.audit(DAY)
    assert only(where, "2027-08-30").rule == "zombie-system"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda d: report(d, BEGIN, "2027-08-01"), id="a report of nobody"),
        pytest.param(lambda d: used(d, system="S-2"), id="another system"),
        pytest.param(lambda d: d["market"].report_system_use("S-1", since=BEGIN, until=BEGIN, users=9), id="another's"),
        pytest.param(lambda d: registered(d), id="registered again"),
    ],
)
def test_what_is_no_use_of_it_puts_nothing_off(other: Use) -> None:
    """A report that says nobody, another system's use, another bureau's word, a second registration."""
    where = district()
    registered(where)
    declared(where)
    where.on("2027-03-02")
    other(where)
    assert "zombie-system" in {finding.rule for finding in where.audit(DAY)}


def test_nobody_reports_the_future() -> None:
    """Use is known up to the day on which it was reported, whatever the report says."""
    where = district()
    registered(where)
    report(where, BEGIN, "2099-12-31", users=5)
    assert "zombie-system" in {finding.rule for finding in where.audit(DAY)}


def test_an_older_idleness_that_was_reported_counts() -> None:
    """A report that nobody used it reaches back to before it was registered here."""
    where = district()
    registered(where)
    report(where, "2026-01-01", "2027-02-28")
    assert spoken(where, only(where, BEGIN))[0].startswith(
        "tax keeps S-1 alive, and nobody is recorded to have used it since 2026-01-01 ("
    )


def test_what_was_switched_off_is_no_zombie() -> None:
    """However late; and registered anew it begins anew."""
    where = district()
    registered(where)
    where.on("2027-10-01")
    where["tax"].retire_system("S-1")
    assert not where.audit("2027-10-01")
    registered(where)
    assert not where.audit("2028-03-29")
    assert only(where, "2028-03-30").rule == "zombie-system"


def test_without_a_number_or_the_end_of_the_ledger_nothing_is_judged() -> None:
    """Code ships no law, and a use or the retirement may stand beyond what was read."""
    thresholds = {name: value for name, value in RULEBOOK["thresholds"].items() if name != "zombie_days"}
    silent = District("tax", rulebook={**RULEBOOK, "thresholds": thresholds})
    registered(silent)
    assert unjudged(silent, DAY) == {}
    where = district()
    registered(where)
    where.read_up_to["tax"] = 1
    assert unjudged(where, LAST) == {}
    assert unjudged(where, DAY) == {("zombie-system", "tax"): 1}


def test_use_before_it_was_registered_counts() -> None:
    """Though a report on the time before knows of nobody: it is idle since the use that stands on the ledger."""
    where = district()
    declared(where)
    used(where, system="S-1")
    where.on("2027-03-02")
    registered(where)
    report(where, "2026-01-01", "2027-02-28")
    assert "zombie-system" not in {finding.rule for finding in where.audit(LAST)}
    (finding,) = (each for each in where.audit(DAY) if each.rule == "zombie-system")
    assert finding.facts["since"] == date(2027, 3, 1)
