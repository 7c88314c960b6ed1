"""The demonstration: five bureaus of one district share data for a week, an auditor looks, and somebody tampers.

Every node is a process, every record goes over gRPC, every answer is verified by the client that shows it. What is
shown with a `$` is a command you can type while the cluster stands.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick import Receipt, Sensitive
from tallystick.core.compose import exchange_id
from tallystick_node.cluster.local import LocalCluster

BIN = Path(sys.executable).parent
# Long answers are cut for the telling; the command shows them whole.
LINES_MAX = 14


class Story:
    """Tells what it does, and remembers what has to be true at the end."""

    def __init__(self, cluster: LocalCluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.kept: list[str] = []

    def tell(self, *lines: str) -> None:
        """Say something in one's own words."""
        for line in lines:
            print(f"  {line}")

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        print(f"\n== {title}")

    def record(self, what: str, receipt: Receipt) -> Receipt:
        """Show a receipt."""
        again = " (recorded before)" if receipt.again else ""
        print(f"  {receipt.reference:<22} {what}{again}")
        return receipt

    def run(self, *words: str, expect: int = 0) -> str:
        """Run a command as a user would, show it with its answer, and hold it to its exit code."""
        shown = " ".join(word.replace(str(self.folder), "DIR") for word in words)
        print(f"  $ {shown}")
        done = subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TALLYSTICK_PROFILE": str(self.folder / "profiles" / "auditor.toml")},
        )
        lines = (done.stdout + done.stderr).rstrip().replace(str(self.folder), "DIR").splitlines()
        if len(lines) > LINES_MAX:
            lines = [*lines[: LINES_MAX - 3], f"… {len(lines) - LINES_MAX + 1} lines more …", *lines[-2:]]
        for line in lines:
            print(f"    {line}")
        if done.returncode != expect:
            raise SystemExit(f"demo: `{shown}` ended with {done.returncode}, expected {expect}")
        return done.stdout + done.stderr

    def check(self, what: str, holds: bool) -> None:
        """Something the story promises."""
        if not holds:
            raise SystemExit(f"demo: this should hold and does not: {what}")
        self.kept.append(what)


@contextmanager
def place() -> Iterator[Path]:
    """A folder that is gone afterwards, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def catalogue(story: Story) -> None:
    """Sharing is the rule, not sharing the exception; one datum, one code."""
    story.chapter("The catalogue: every bureau codes its own data, and says whether it shares it")
    market, tax = story.cluster["market-regulation"].sdk, story.cluster["taxation"].sdk
    planning, people = story.cluster["planning"].sdk, story.cluster["human-resources"].sdk
    story.record(
        "市场监管局 declares SCJG-0012 business licences, unconditional",
        market.declare(
            "SCJG-0012",
            scheme="pudong",
            title="企业登记基本信息 Business licences",
            sharing="unconditional",
            steward="登记注册处",
            update_cycle="R/P1D",
            fields=[{"name": "name", "type": "text"}, {"name": "legal representative", "sensitivity": "personal"}],
        ),
    )
    story.record(
        "税务局 declares SW-0031 tax registrations, conditional, and lists the condition",
        tax.declare(
            "SW-0031",
            scheme="pudong",
            title="税务登记信息 Tax registrations",
            sharing="conditional",
            condition="joint supervision of one enterprise at a time",
        ),
    )
    story.record(
        "规划资源局 withholds GH-0007 land parcels; its basis reads “agreement sharing”",
        planning.declare(
            "GH-0007",
            scheme="pudong",
            title="地块信息 Land parcels",
            sharing="withheld",
            basis="协议共享 agreement sharing",
        ),
    )
    story.record(
        "人社局 declares RS-0102 social insurance, and states no basis for withholding it",
        people.declare("RS-0102", scheme="pudong", title="社保缴费 Social insurance", sharing="withheld"),
    )


def duties(story: Story) -> None:
    """Who approves supervises, and a system nobody dares to switch off."""
    story.chapter("Duties and systems: who approves supervises; what runs is known")
    planning, office = story.cluster["planning"].sdk, story.cluster["data-office"].sdk
    story.record(
        "规划资源局 takes the approval of matter 310115-GH-03 upon itself; nobody is named to supervise it",
        planning.assign_duty(
            "planning", duty="approver", matter="310115-GH-03", unit="审批处", person=Sensitive("张三")
        ),
    )
    story.record(
        "数据局 registers the system OLD-PORTAL, never accepted",
        office.register_system("OLD-PORTAL", name="旧门户 Old portal", approved_on="2011-05-01", operator="云数据中心"),
    )
    story.record(
        "数据局 reports that OLD-PORTAL had no users in October",
        office.report_system_use("OLD-PORTAL", since="2026-10-01", until="2026-10-31", users=0, operations=12),
    )


def exchange(story: Story) -> tuple[Receipt, Receipt]:
    """One exchange, a half on each side."""
    story.chapter("An exchange: asked for, granted, sent, received, used. Each half on its own ledger")
    market, tax = story.cluster["market-regulation"].sdk, story.cluster["taxation"].sdk
    case = "办件 2026-11-0042"
    asked = story.record(
        "税务局 asks for SCJG-0012, to register taxpayers",
        tax.request("SCJG-0012", provider="market-regulation", purpose="tax-registration", case=case),
    )
    grant = story.record(
        "市场监管局 grants it", market.grant(asked, to="taxation", resource="SCJG-0012", case=case, until="2027-11-01")
    )
    data = story.folder / "licences.csv"
    data.write_text(
        "code,name\n" + "".join(f"9131011500000{n:04d}X,Company {n}\n" for n in range(20_000)), encoding="utf-8"
    )
    version = story.record(
        f"市场监管局 provides a version: {data.stat().st_size:,} bytes hashed where they are; they never leave",
        market.provide("SCJG-0012", file=data, rows=20_000),
    )
    number = exchange_id("demo exchange one")
    digest = version.statement.version_provided.digest
    sent = story.record(
        f"市场监管局 notes, before the first byte leaves: sent {version.version_ref} to 税务局",
        market.send(number, to="taxation", version=version, grant=grant, digest=digest, case=case),
    )
    story.record(
        "税务局 notes that it received it, the same digest, citing the other half",
        tax.receive(number, sender="market-regulation", version=version, sent=sent, digest=digest, case=case),
    )
    with tax.recorder() as recorder:
        uses = [
            recorder.use(
                version,
                purpose="tax-registration",
                case=case,
                officer="taxation:o-7f3a",
                subject=Sensitive(f"310115198001{n:06d}"),
            )
            for n in range(1_500)
        ]
    story.tell(
        f"{uses[0].result().reference:<22} to #{uses[-1].result().index}: 税务局 used it 1,500 times; "
        "each subject is a commitment"
    )
    return version, sent


def refusal(story: Story) -> None:
    """A polite refusal."""
    story.chapter("A request that is politely refused, and data that one side never noted")
    office, planning = story.cluster["data-office"].sdk, story.cluster["planning"].sdk
    asked = story.record(
        "数据局 asks 规划资源局 for GH-0007",
        office.request("GH-0007", provider="planning", purpose="joint-supervision"),
    )
    story.record(
        "规划资源局 denies it, and gives no reason", planning.deny(asked, to="data-office", resource="GH-0007")
    )
    story.record(
        "人社局 notes that it received SW-0031 from 税务局, which noted no sending",
        story.cluster["human-resources"].sdk.receive(
            exchange_id("an exchange only one side knows"), sender="taxation", resource="SW-0031", service="batch"
        ),
    )


def look(story: Story, sent: Receipt) -> None:
    """What was recorded where, as an auditor sees it."""
    story.chapter("What was recorded where. Every line was verified before it was shown")
    story.run("tally", "status")
    story.run("tally", "log", "planning", "--lang", "zh")
    story.run("tally", "log", "market-regulation", "--with", "taxation")
    story.run("tally", "show", sent.reference)
    evidence = story.folder / "sent.tlog-proof"
    story.chapter("One entry proven offline: the file, the charter, nothing else. All nodes are stopped meanwhile")
    story.run("tally", "prove", sent.reference, "-o", str(evidence))
    story.cluster.stop()
    answer = story.run("tally", "verify", str(evidence))
    story.check("an entry is proven offline, with every node stopped", sent.reference in answer)
    story.cluster.start()


def tamper(story: Story, sent: Receipt) -> None:
    """Somebody alters a ledger's stored bytes, then puts an older disk back."""
    story.chapter("Somebody alters one byte of what 市场监管局 stored, below the database's own checksums")
    market = story.cluster["market-regulation"]
    with market.stopped(broken_on_purpose=True) as disk:
        disk.flip_byte_of(sent.ref)
    story.tell(f"one byte of {sent.reference} differs now; the node runs again and says nothing")
    answer = story.run("tally", "show", sent.reference, expect=5)
    story.check("an auditor's client refuses the altered entry and names it", sent.reference in answer)
    market.stop()
    answer = story.run("tallyd", "fsck", str(market.settings.path.parent), expect=5)
    story.check("the node's own check names the entry that was altered", f"#{sent.index}" in answer)
    market.start()

    story.chapter("Somebody puts an older disk of 税务局 back, to forget what was recorded since")
    tax = story.cluster["taxation"]
    home = tax.settings.path.parent
    tax.stop()
    shutil.copytree(home / "data", story.folder / "older")
    tax.start()
    late = story.record("税务局 records one use more", tax.sdk.use("SCJG-0012@later", purpose="tax-registration"))
    story.run("tally", "status")
    tax.stop()
    shutil.rmtree(home / "data")
    shutil.copytree(story.folder / "older", home / "data")
    tax.start()
    story.tell(
        "the older disk came with its own older note of what was signed, so the node notices nothing; a client does:"
    )
    answer = story.run("tally", "status", expect=5)
    story.check("a client that saw more names the node that went back", str(late.index + 1) in answer)


def main() -> None:
    """Tell the story; end with what held."""
    started = time.monotonic()
    print("tallystick: every bureau keeps its own ledger, every exchange is notched on both sides")
    with place() as folder:
        with LocalCluster.up(folder, 5) as cluster:
            story = Story(cluster, folder)
            story.chapter("Five bureaus of one district, a node each; nobody operates them all")
            for bureau in cluster.charter.bureau:
                story.tell(f"{bureau.id:<18} {bureau.name.zh}  {bureau.origin}")
            catalogue(story)
            duties(story)
            _, sent = exchange(story)
            refusal(story)
            look(story, sent)
            tamper(story, sent)
            pids = [member.running.pid for member in cluster if member.running is not None]
        alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        story.check("nothing is left running", not alive)
    story.chapter(f"In the end ({time.monotonic() - started:.0f} s)")
    for what in story.kept:
        story.tell(f"held: {what}")
    story.tell("Not shown yet: the audit that judges all this, and the witnesses that make a rewrite provable.")


if __name__ == "__main__":
    main()
