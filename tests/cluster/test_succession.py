"""The steps by which `docs/charter.md` closes a bureau and names its successor, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tallystick.sdk.profile import Profile
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.cluster.ports import held_ports
from tests.harness.clusters import all_witnessed, checked_cluster
from tests.harness.processes import BIN
from tests.harness.waiting import until

DOCS = Path(__file__).parents[2] / "docs" / "charter.md"
MARKET, HEIR = "market-regulation", "market-2"


def steps() -> list[list[str]]:
    """The lines of each step's commands."""
    section = DOCS.read_text().partition("## Closing a bureau, with a successor\n")[2].partition("\n## ")[0]
    return [block.split("\n") for block in re.findall(r"```\n(.*?)\n```", section.replace("\n   ", "\n"), re.DOTALL)]


@pytest.mark.timeout(300)
def test_a_succession_goes_as_it_is_written(tmp_path: Path, nursery: Nursery) -> None:
    """Three bureaus, one of them closed: every command succeeds, the successor records, and what was stays readable."""
    with held_ports(1) as (port,), checked_cluster(tmp_path / "three", 3, nursery) as three:
        market, others = three[MARKET], [member for member in three if member.id != MARKET]
        env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}

        def attempt(line: str, profile: Path) -> subprocess.CompletedProcess[str]:
            """One line; `tally` goes by a profile, and by the cluster's own key and credit code."""
            code = re.sub("[0-9A-Z]{18}", market.bureau.credit_code, line)
            code = (
                code.replace(" OLD", f" {market.home}")
                .replace("7411", str(port))
                .replace("key-1.pem", str(three.folder / "keys" / "charter.key"))
            )
            code = re.sub("^tally ", f"tally --profile {profile} ", code)
            return subprocess.run(code, shell=True, capture_output=True, text=True, timeout=120, cwd=tmp_path, env=env)

        def run(line: str, profile: Path = three.auditor_profile) -> str:
            """The same, which must succeed; `tally status` says that a node is out of reach while one is stopped."""
            done = attempt(line, profile)
            assert done.returncode == 0 or (line, done.returncode) == ("tally status", 3), f"{line}: {done.stderr}"
            return done.stdout

        declaring = "tally declare SCJG-2 --scheme pudong --title Anew --sharing unconditional"
        run(declaring, market.profile)
        all_witnessed(three)
        market.stop()
        made, (counting, reading), proposed, (at_old, at_clients, at_nodes), (founding, serving) = steps()
        for line in made:
            run(line)
        (counted,) = re.findall(r"(\d+) entries", run(counting))
        (row,) = [line.split() for line in run(reading).splitlines() if line.startswith(MARKET)]
        assert row[1:3] == [counted, counted], "what its copies hold, witnessed, is all that it recorded"
        for line in proposed:
            said = run(line)
        assert f"{MARKET}, closed, succeeded by {HEIR}" in said
        run(at_old)
        run(at_clients)
        for member in others:
            run(at_clients, member.profile)
            member.stop()
        for member in others:
            run(at_nodes.replace("DIR", str(member.home)))
        digest = Profile.load(three.auditor_profile).charter_digest
        run(founding.replace("blake3:…", digest))
        command = [str(BIN / "tallyd"), *serving.split()[1:]]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as heir:
            try:
                for member in three:
                    member.start()
                until(lambda: attempt(declaring, tmp_path / "NEW" / "profile.toml").returncode == 0)
                assert f"closed, succeeded by {HEIR}" in run("tally status")
                asking = attempt(f"tally request SCJG-1 --provider {MARKET} --purpose p", others[0].profile)
                assert asking.returncode == 4
                assert f"{MARKET} is closed by version 2 of the charter, issued" in asking.stderr
                rows = [line.split("\t") for line in run("tally who SCJG-2").splitlines()]
                assert [(row[1], row[4]) for row in rows if row[0] == "producer"] == [
                    (MARKET, f"declared it; closed, succeeded by {HEIR}"),
                    (HEIR, "declared it"),
                ]
                assert not json.loads(run("tally audit --rule duplicate-code --json"))["findings"]
                page = tmp_path / "page.html"
                run(f"tally report -o {page}")
                assert f"{MARKET} is closed by version 2 of the charter" in page.read_text()
                assert run(f"tally show {MARKET}#0")
                ledgers = json.loads(run("tally audit --json || true"))["coverage"]["ledgers"]
                (pinned,) = [each["pinned"] for each in ledgers if each["bureau"] == MARKET]
                assert pinned == int(counted)
            finally:
                heir.terminate()
            assert heir.wait() == 0
