"""A charter's life on a real cluster: a key is retired, everybody goes by the next version, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tallystick import Node
from tallystick.core.errors import SignatureInvalid
from tallystick.sdk.ledgers import Ledgers
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tests.harness.clusters import checked_cluster
from tests.harness.processes import BIN, refused, tallyd

OLD, NEW = "SCJG-0012", "SCJG-0013"


def tally(*arguments: str | Path, code: int = 0) -> str:
    """Run the installed command, which must end with a code; what it printed, and where it failed why."""
    done = subprocess.run([BIN / "tally", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def next_charter(cluster: LocalCluster, edits: str) -> Path:
    """The next version of a cluster's charter, signed by its one key."""
    folder, stem = cluster.folder, f"next-{len(list(cluster.folder.glob('next-*.note')))}"
    (folder / "edits.toml").write_text(edits)
    proposed, note = folder / f"{stem}.toml", folder / f"{stem}.note"
    tally("charter", "propose", folder / "edits.toml", "-o", proposed, "--profile", cluster.auditor_profile)
    tally("charter", "sign", proposed, "--key", folder / "keys" / "charter.key", "-o", note)
    return note


def test_a_key_is_retired_and_everything_under_it_stays_provable(cluster: LocalCluster, tmp_path: Path) -> None:
    """After version 2 the old entries prove as before, new ones stand under the new key, and an audit finds nothing."""
    market, folder = cluster["market-regulation"], cluster.folder
    digest = market.settings.config.charter_digest
    first = market.sdk.declare(OLD, scheme="pudong", title="Licences", sharing="unconditional")
    cluster.auditor.show(first.ref)
    (tmp_path / "old").write_bytes(cluster.auditor.prove(first.reference))
    (tmp_path / "old-node").write_bytes(cluster.auditor.prove("market-regulation#0"))

    market.stop()
    renewed = tallyd("charter", "renew", market.home)
    assert renewed.returncode == 0, renewed.stderr
    note = next_charter(cluster, renewed.stdout)
    assert tallyd("charter", "renew", market.home).stdout == renewed.stdout
    said = json.loads(tally("charter", "verify", note, "--json", "--profile", cluster.auditor_profile))
    assert said["follows"]
    assert "bureau market-regulation ledger_key" in [change["place"] for change in said["changes"]]

    cluster.stop()
    for member in cluster:
        adopted = tallyd("charter", "adopt", member.home, note)
        assert adopted.returncode == 0, adopted.stderr
        assert tallyd("charter", "adopt", member.home, note).stdout == adopted.stdout
    cluster.start()

    with Ledgers.open(cluster.auditor_profile) as before, pytest.raises(SignatureInvalid, match="a later version"):
        before["market-regulation"].refresh()
    for profile in sorted((folder / "profiles").glob("*.toml")):
        assert "goes by version 2" in tally("charter", "adopt", note, "--profile", profile)
    assert "goes by version 2" in tally("charter", "adopt", note, "--profile", cluster.auditor_profile)

    with Node.open(market.profile) as sdk:
        second = sdk.declare(NEW, scheme="pudong", title="Permits", sharing="unconditional")
    with Ledgers.open(cluster.auditor_profile) as after:
        (tmp_path / "new").write_bytes(after.prove(second.reference))
        (tmp_path / "adopted").write_bytes(after.prove(f"market-regulation#{second.index - 1}"))
        (tmp_path / "old-again").write_bytes(after.prove("market-regulation#0"))
    for name in ("old", "old-node", "old-again", "new", "adopted"):
        tally("verify", tmp_path / name, "--profile", cluster.auditor_profile)
    first_charter = ("--charter", folder / "charter.note", "--charter-digest", digest)
    tally("verify", tmp_path / "old", *first_charter)
    assert "a later version" in tally("verify", tmp_path / "new", *first_charter, code=5)
    assert "0 findings" in tally("audit", "--profile", cluster.auditor_profile)


def adopt_alone(member: Member, note: Path) -> None:
    """A stopped node adopts a version, and is started."""
    adopted = tallyd("charter", "adopt", member.home, note)
    assert adopted.returncode == 0, adopted.stderr
    member.start()


def test_a_suspended_bureau_records_nothing_until_it_is_active_again(cluster: LocalCluster) -> None:
    """Its node answers what it holds and refuses every submission, while others record on, and who asks it for
    something is told. Coverages say so. A version in which it is active has it record again.
    """
    taxation, planning = cluster["taxation"], cluster["planning"]
    taxation.stop()
    note = next_charter(cluster, '[[bureau]]\nid = "taxation"\nstate = "suspended"\n')
    assert "another process holds" in refused(4, "charter", "adopt", planning.home, note)
    adopt_alone(taxation, note)
    declare = ("declare", "SW-1", "--scheme", "pudong", "--title", "Rolls", "--sharing", "conditional")
    assert "the charter says suspended" in tally(*declare, "--profile", taxation.profile, code=4)
    entries = tally("log", "taxation", "--profile", cluster.auditor_profile)
    assert entries.count("taxation#") == 3
    going_on = planning.sdk.declare("GH-1", scheme="pudong", title="Plans", sharing="conditional")
    assert cluster.auditor.show(going_on.ref).entry.raw == going_on.entry
    tally("charter", "adopt", note, "--profile", planning.profile)
    asking = ("request", "SW-1", "--provider", "taxation", "--purpose", "p", "--profile", planning.profile)
    asked = subprocess.run([BIN / "tally", *asking], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert asked.returncode == 0
    assert asked.stderr == "taxation is suspended by the charter, in version 2, and can record nothing for now.\n"

    tally("charter", "adopt", note, "--profile", cluster.auditor_profile)
    owed = json.loads(tally("owed", "--json", "--profile", cluster.auditor_profile))
    assert [(each["bureau"], each["version"]) for each in owed["coverage"]["suspensions"]] == [("taxation", 2)]
    assert [(each["bureau"], each["suspended"]) for each in owed["owed"]] == [("taxation", 2)]
    taxation.stop()
    adopt_alone(taxation, next_charter(cluster, '[[bureau]]\nid = "taxation"\nstate = "active"\n'))
    again = taxation.sdk.declare("SW-2", scheme="pudong", title="Rolls", sharing="conditional")
    recorded = [shown.entry.raw for shown in taxation.sdk.entries(3)]
    assert recorded[-1] == again.entry
    assert b"SW-1" not in b"".join(recorded)


def test_an_observer_gives_up_its_key_and_goes_on_witnessing(tmp_path: Path, nursery: Nursery) -> None:
    """Its next key is made without a floor; under the version that names it, it cosigns by that."""
    with checked_cluster(tmp_path / "observed", 2, nursery, observers=1) as cluster:
        observer, market = cluster["observer-1"], cluster["market-regulation"]
        observer.stop()
        assert "an observer has no such key" in refused(2, "charter", "renew", observer.home, "ledger")
        renewed = tallyd("charter", "renew", observer.home)
        assert renewed.returncode == 0, renewed.stderr
        assert "floor" not in renewed.stdout
        note = next_charter(cluster, renewed.stdout)
        cluster.stop()
        for member in cluster:
            adopted = tallyd("charter", "adopt", member.home, note)
            assert adopted.returncode == 0, adopted.stderr
        cluster.start()
        assert "goes by version 2" in tally("charter", "adopt", note, "--profile", market.profile)
        with Node.open(market.profile) as sdk:
            receipt = sdk.record_witnessed(
                "declare", 30.0, resource=OLD, scheme="pudong", title=OLD, sharing="unconditional"
            )
        assert receipt.standing == "witnessed"
        assert "observer-1" in receipt.cosigned_by
