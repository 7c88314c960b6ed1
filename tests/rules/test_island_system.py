"""`island-system`: a system in use, none of whose actors recorded an exchange in the period."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import RULEBOOK, District, Said
from tests.harness.sharing import spoken, used
from tests.harness.stories import VERSION, declared, digest_of, district, only, unjudged

BEGIN, LAST, DAY = "2027-03-01", "2027-08-27", "2027-08-28"  # 179 and 180 days after it began


def in_use(where: District, until: str = "2027-08-01") -> Said:
    """A system of the tax office, registered on the first day, with users reported up to another."""
    system = where["tax"].register_system("S-1", name="Portal", accepted_on="2020-01-01")
    now_us = where.now_us
    where.on(until)
    where["tax"].report_system_use("S-1", since=BEGIN, until=until, users=12)
    where.now_us = now_us
    return system


def exchanged(where: District, on: str, system: str = "S-1", receives: bool = True) -> None:
    """The tax office's system sends or receives on a day."""
    where.on(on)
    said: dict[str, object] = {"exchange": f"x-{on}", "version": VERSION, "digest": digest_of()}
    sender, receiver = ("market", "tax") if receives else ("tax", "market")
    named: dict[str, object] = {"system": system}
    sent = where[sender].say("send", to=receiver, **said, **({} if receives else named))
    where[receiver].say("receive", sender=sender, sent=sent, **said, **(named if receives else {}))


def test_it_trips_alone_and_says_so() -> None:
    """Whose system it is answers, for an absence within the coverage, once it was known for the whole period."""
    where = district()
    system = in_use(where)
    assert not where.audit(LAST)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("island-system", "tax", (system.reference,))
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert spoken(where, finding) == (
        "tax uses S-1, and none of its actors recorded an exchange in 180 days"
        " (absent within the coverage, beyond it not covered)",
        "tax局 的系统 S-1 在用，180 天内其主体无数据交换记录（核查范围内无记录，范围外未覆盖）",
    )
    assert only(where, "2027-09-15").id == finding.id


@pytest.mark.parametrize("receives", [True, False])
def test_one_exchange_joins_it_for_the_period(receives: bool) -> None:
    """Sent or received, up to the day on which the period since is full."""
    where = district()
    declared(where, by="market" if receives else "tax")
    in_use(where, "2027-08-15")
    exchanged(where, "2027-03-05", receives=receives)
    assert not where.audit("2027-09-01")
    assert only(where, "2027-09-02").rule == "island-system"


def test_an_exchange_by_another_system_or_a_mere_use_does_not_join_it() -> None:
    """What its own actors did counts, and only exchanges."""
    where = district()
    declared(where)
    in_use(where)
    exchanged(where, "2027-08-01", system="S-2")
    used(where, system="S-1")
    assert only(where, DAY).rule == "island-system"


def test_an_actor_speaks_for_its_system() -> None:
    """Registered as the system's, it need not name it."""
    where = district()
    declared(where, by="tax")
    in_use(where)
    key = {"key": bytes(32), "role": "system", "possession": bytes(64)}
    where["tax"].say("register_actor", by="registrar", registered="tax:gateway", system="S-1", **key)
    where.on("2027-08-02")
    sent = where["tax"].say("send", by="gateway", exchange="x", to="market", version=VERSION, digest=digest_of())
    where["market"].receive("x", sender="tax", version=VERSION, sent=sent, digest=digest_of())
    assert not where.audit(DAY)


def test_only_what_is_in_use_is_judged() -> None:
    """Nobody used it within the period, or it is retired: that is another matter."""
    idle = district()
    idle["tax"].register_system("S-1", name="Portal", accepted_on="2020-01-01")
    assert not idle.audit(DAY)
    retired = district()
    in_use(retired)
    retired.on("2027-08-02")
    retired["tax"].retire_system("S-1")
    assert not retired.audit(DAY)


def test_without_a_period_or_the_end_of_the_ledger_nothing_is_judged() -> None:
    """Code ships no law, and an exchange may stand beyond what was read."""
    thresholds = {name: value for name, value in RULEBOOK["thresholds"].items() if name != "period_days"}
    silent = District("tax", rulebook={**RULEBOOK, "thresholds": thresholds})
    in_use(silent)
    assert unjudged(silent, DAY) == {}
    where = district()
    in_use(where)
    where.read_up_to["tax"] = 2
    assert unjudged(where, DAY) == {("island-system", "tax"): 1}
    assert unjudged(where, LAST) == {}


@pytest.mark.parametrize("receives", [True, False])
def test_an_exchange_before_it_was_registered_joins_it_too(receives: bool) -> None:
    """The inventory may come later than the work, with a report on the whole period before it."""
    where = district()
    declared(where, by="market" if receives else "tax")
    exchanged(where, "2027-08-01", receives=receives)
    where.on("2027-08-02")
    where["tax"].register_system("S-1", name="Portal", accepted_on="2020-01-01")
    where["tax"].report_system_use("S-1", since="2026-01-01", until="2027-07-31", users=12)
    assert "island-system" not in {finding.rule for finding in where.audit(DAY)}
