"""One cluster, told one story, for the questions that name something: nothing on it may be altered or counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.harness.clusters import all_witnessed, checked_cluster

MARKET, TAX, PLANNING = "market-regulation", "taxation", "planning"
MATTER, CASE = "310115-GH-03", "办件 2026-11-0042"
PARCELS, CODE, LICENCES, TAXES = "GH-0007@1", "SCJG-0012", "SCJG-0012@2027-03", "SW-0031@1"
EVIL = "evil\x1b[2J"
DIGEST = f"blake3:{'5a' * 32}"


@dataclass(frozen=True, slots=True)
class Told:
    """The cluster, its auditor's profile, and the references of what was said, by name."""

    cluster: LocalCluster
    profile: Path
    at: dict[str, str]


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[Told]:
    """Parcels go to the market, which makes licences of them; those go to the tax office under a grant for a case, are
    used, recalled, used again; taxes are made of them and sent to planning, which notes nothing.

    Planning approves a matter and released its only supervisor.
    """
    with checked_cluster(tmp_path_factory.mktemp("told"), 3, nursery) as cluster:
        market, tax, planning = (cluster[bureau].sdk for bureau in (MARKET, TAX, PLANNING))
        said = {
            "declared": market.declare(
                CODE,
                scheme="pudong",
                title="企业登记",
                sharing="conditional",
                condition="联合监管",
                steward="登记注册处",
            ),
            "parcels": planning.provide_version(PARCELS, digest=DIGEST),
        }
        moved = planning.send("x-1", to=MARKET, version=PARCELS, digest=DIGEST)
        market.receive("x-1", sender=PLANNING, version=PARCELS, sent=moved, digest=DIGEST)
        said["licences"] = market.provide_version(LICENCES, digest=DIGEST, derived_from=[PARCELS])
        said["asked"] = asked = tax.request(CODE, provider=MARKET, purpose="tax-registration")
        said["granted"] = granted = market.grant(
            asked, to=TAX, resource=CODE, conditions=["一案一查"], until="2099-12-31"
        )
        said["sent"] = market.send("x-2", to=TAX, version=LICENCES, grant=granted, digest=DIGEST, case=CASE)
        said["received"] = tax.receive("x-2", sender=MARKET, version=LICENCES, sent=said["sent"], digest=DIGEST)
        said["used"] = tax.use(LICENCES, purpose="tax-registration", case=CASE, officer="taxation:o-7f3a")
        said["taxes"] = tax.provide_version(TAXES, digest=DIGEST, derived_from=[LICENCES])
        said["alone"] = tax.send("x-3", to=PLANNING, version=TAXES, digest=DIGEST)
        said["recalled"] = recalled = market.recall(LICENCES, reason="姓名列错行")
        said["acknowledged"] = tax.acknowledge(recalled, action="stopped")
        said["used after"] = tax.use(LICENCES, purpose="tax-registration", case="another")
        said["refused"] = refused = planning.request(CODE, provider=MARKET, purpose="joint-supervision")
        said["denied"] = market.deny(refused, reason="无依据")
        for duty in ("approver", "supervisor"):
            said[duty] = planning.assign_duty(PLANNING, duty=duty, matter=MATTER, unit="审批处")
            said[f"{duty} accepted"] = planning.answer_duty(said[duty], answer="accepted")
        said["released"] = planning.release_duty(said["supervisor"])
        said["steward"] = market.assign_duty(TAX, duty="steward", resource=CODE)
        market.assign_duty(PLANNING, duty="steward", matter="evil", unit=EVIL)
        all_witnessed(cluster)
        yield Told(cluster, cluster.auditor_profile, {name: receipt.reference for name, receipt in said.items()})
