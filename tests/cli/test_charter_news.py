"""Versions of the charter that nodes go by, as commands tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tallystick.core.charter_chain import Version
from tallystick.sdk.profile import Profile
from tests.cli.conftest import Said, Tally
from tests.harness.company import Company
from tests.harness.versions import CLIENTS, after, twins

MARKET, TAX, PLANNING = "market", "taxation", "planning"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Three bureaus whose nodes go by the charter of a client's profile."""
    with capture_logs(), Company(tmp_path, MARKET, TAX, PLANNING) as company:
        yield company


@pytest.fixture
def profile(company: Company) -> Path:
    return company.profile("auditor").path


@pytest.fixture
def first(company: Company, profile: Path) -> Version:
    return company.go_by_that_of(Profile.load(profile))


def alarms(said: Said) -> list[dict[str, Any]]:
    """What status says of the charter; the nodes' clocks are a test's."""
    return [each for each in said.json["alarms"] if each["kind"] != "clock"]


def test_status_tells_of_a_later_version_and_of_who_goes_by_it(
    tally: Tally, company: Company, profile: Path, first: Version
) -> None:
    """With the command that takes it up, which does; nothing is wrong meanwhile."""
    company.go_by(TAX, first, after(first, holder=CLIENTS))
    said = tally("status", "--json", profile=profile)
    assert said.code == 0
    later, goes_by = alarms(said)
    assert (later["kind"], goes_by["kind"], goes_by["bureau"]) == ("charter-later", "charter-version", TAX)
    assert f"`tally charter adopt {later['file']}` takes it up" in later["sentence"]
    assert "goes by version 2" in goes_by["sentence"]
    assert tally("charter", "adopt", later["file"], profile=profile).code == 0
    assert [each["bureau"] for each in alarms(tally("status", "--json", profile=profile))] == [MARKET, PLANNING]


def test_a_fork_is_told_by_status_and_audit_and_stops_all_else_that_reads_live(
    tally: Tally, company: Company, profile: Path, first: Version
) -> None:
    """Status says where it is kept and exits with 5, an audit finds it, and what else would read says so and stops."""
    one, other = twins(first, CLIENTS)
    company.go_by(TAX, first, one)
    company.go_by(PLANNING, first, other)
    audited = tally("audit", "--json", profile=profile)
    assert audited.code == 1
    assert "charter-fork" in [each["rule"] for each in audited.json["findings"]]
    said = tally("status", profile=profile)
    assert said.code == 5
    assert "PROVEN: the holders of the charter's keys signed two versions 2" in said.out
    for command in (["log"], ["show", "market#1"], ["owed"], ["prove", "market#1", "-o", profile.parent / "x"]):
        stopped = tally(*command, profile=profile)
        assert stopped.code == 5
        assert "signed two versions 2" in stopped.err
        assert stopped.out == ""
    assert tally("charter", "show", profile=profile).code == 0
