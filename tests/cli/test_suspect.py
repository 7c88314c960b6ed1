"""What a compromised key signed, over real nodes: suspect wherever it is shown, proven as before, nobody's fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.cli.conftest import Tally
from tests.harness.clusters import checked_cluster

TAX = "taxation"
SUSPECT = "Suspect: by its registrar's word the key was compromised since"


@pytest.fixture
def told(
    tmp_path_factory: pytest.TempPathFactory, nursery: Nursery, tally: Tally
) -> Iterator[tuple[LocalCluster, str]]:
    """Two nodes; one bureau's program looks data up twice without a case, in one submission, and its key is revoked as
    compromised long before. Comes with the second entry.
    """
    with checked_cluster(tmp_path_factory.mktemp("suspect"), 2, nursery) as made:
        with made[TAX].sdk.recorder() as record:
            pending = [record.use("R-1@1", purpose="tax-registration") for _ in range(2)]
        reference = pending[1].result().reference
        before = tally("show", reference, "--json", profile=made.auditor_profile).json
        assert (before["suspect"], before["author"]["revoked_at"]) == (False, None)
        revoke = ("identity", "revoke", before["author"]["actor"], "--compromised-since", "2020-01-01")
        assert tally(*revoke, profile=made[TAX].profile).code == 0
        yield made, reference


def test_it_is_suspect_wherever_it_is_shown(tally: Tally, told: tuple[LocalCluster, str], tmp_path: Path) -> None:
    """By `show` and `log`, in the evidence and its verification, offline, and in what an audit finds by it."""
    cluster, reference = told
    profile = cluster.auditor_profile
    shown = tally("show", reference, profile=profile)
    assert shown.code == 0
    assert SUSPECT in shown.out
    assert "存疑：据登记员所称" in tally("show", reference, "--lang", "zh", profile=profile).out
    evidence = tmp_path / "it.tlog-proof"
    assert "Suspect: signed by a key" in tally("prove", reference, "-o", evidence, profile=profile).out
    again = tally("prove", reference, "-o", evidence, "--force", "--json", profile=profile)
    assert again.json["suspect"] is True
    cluster[TAX].stop()
    verified = tally("verify", evidence, profile=profile)
    assert verified.code == 0
    assert SUSPECT in verified.out
    assert "Proven:" in verified.out
    cluster[TAX].start()
    said = tally("verify", evidence, "--json", profile=profile).json
    assert said["suspect"] is True
    assert said["author"]["compromised_since"] == "2019-12-31T16:00:00.000000Z"
    listed = {each["reference"]: each["suspect"] for each in tally("log", TAX, "--json", profile=profile).jsons}
    revocation = f"{TAX}#{said['author']['revoked_at']}"
    assert listed[reference] is True
    assert listed[revocation] is False
    assert f"{TAX}#0" in listed
    assert listed[f"{TAX}#0"] is False
    assert ", suspect" in tally("log", TAX, profile=profile).out


def test_a_finding_says_that_its_entry_is_suspect(tally: Tally, told: tuple[LocalCluster, str]) -> None:
    """And is found all the same."""
    cluster, _ = told
    arguments = ("audit", "--rule", "use-without-case", "--json")
    found = tally(*arguments, profile=cluster.auditor_profile).json["findings"]
    assert found
    for each in found:
        assert each["suspect"] == each["references"]
        assert "suspect, signed by a key" in each["sentence"]["en"]
        assert each["standing"] == "proven"
