"""The demonstration: five bureaus of one district share data for a week, an auditor looks, somebody tampers, and
one bureau rewrites its own ledger.

Every node is a process, every record goes over gRPC, every answer is verified by the client that shows it. What is
shown with a `$` is a command you can type while the cluster stands. Five things go wrong, and the audit finds those.
"""

from __future__ import annotations

import shutil
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from scripts.rewriting import rewrite_properly
from scripts.telling import Story, place
from tallystick import Receipt, Sensitive
from tallystick.core.values import exchange_id
from tallystick.sdk.rulebook import zone_of
from tallystick_node import keyspace
from tallystick_node.cluster.local import LocalCluster

PAPER = "paper register"
WRONG = {
    "request-overdue": "a request answered late",
    "received-not-sent": "an exchange only one side recorded",
    "recall-unheeded": "a version recalled after it was used, and nobody who held it said a word",
    "approver-without-supervisor": "an approval nobody supervises",
    "zombie-system": "a system nobody uses",
}
"""What goes wrong in this story, by the rule that finds it."""


def at(story: Story, days_ago: int) -> datetime:
    """Ten in the morning, some days ago, by the charter's clock."""
    now = datetime.now(zone_of(story.cluster.charter))
    return (now - timedelta(days=days_ago)).replace(hour=10, minute=0, second=0, microsecond=0)


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
            update_cycle="R/P1M",
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
        "规划资源局 withholds GH-0007 land parcels, and says by which law",
        planning.declare(
            "GH-0007",
            scheme="pudong",
            title="地块信息 Land parcels",
            sharing="withheld",
            basis="测绘成果管理条例 第十六条",
        ),
    )
    story.record(
        "人社局 declares RS-0102 social insurance, conditional",
        people.declare(
            "RS-0102", scheme="pudong", title="社保缴费 Social insurance", sharing="conditional", condition="one case"
        ),
    )


def backlog(story: Story) -> Receipt:
    """What was on paper comes in as what it is: somebody's word on when it happened."""
    story.chapter("The paper register comes in: a request of last month, and its answer of the day before yesterday")
    market, tax = story.cluster["market-regulation"].sdk, story.cluster["taxation"].sdk
    asked = story.record(
        "税务局 asked for SCJG-0012 forty days ago, to register taxpayers",
        tax.request(
            "SCJG-0012",
            provider="market-regulation",
            purpose="tax-registration",
            happened_at=at(story, 40),
            source=PAPER,
        ),
    )
    return story.record(
        "市场监管局 granted it two days ago: later than the charter allows",
        market.grant(
            asked, to="taxation", resource="SCJG-0012", happened_at=at(story, 2), source=PAPER, until="2099-12-31"
        ),
    )


def duties(story: Story) -> None:
    """Who approves supervises, and a system nobody dares to switch off."""
    story.chapter("Duties and systems: who approves supervises; what runs is known")
    planning, office = story.cluster["planning"].sdk, story.cluster["data-office"].sdk
    for duty, unit in (("approver", "审批处"), ("supervisor", "监督检查处")):
        assigned = planning.assign_duty(
            "planning", duty=duty, matter="310115-GH-03", unit=unit, person=Sensitive("张三")
        )
        story.record(f"规划资源局 makes {unit} the {duty} of matter 310115-GH-03", assigned)
        planning.answer_duty(assigned, answer="accepted", matter="310115-GH-03")
    story.record(
        "规划资源局 releases the supervisor, and names no other",
        planning.release_duty(assigned, matter="310115-GH-03", reason="the unit was dissolved"),
    )
    story.record(
        "数据局 registers the system OLD-PORTAL",
        office.register_system(
            "OLD-PORTAL",
            name="旧门户 Old portal",
            approved_on="2011-05-01",
            accepted_on="2012-01-15",
            operator="云数据中心",
        ),
    )
    today = date.today()
    story.record(
        "数据局 reports that nobody used OLD-PORTAL for most of a year",
        office.report_system_use(
            "OLD-PORTAL", since=today - timedelta(days=300), until=today - timedelta(days=1), users=0, operations=0
        ),
    )


def exchange(story: Story, grant: Receipt) -> Receipt:
    """One exchange, a half on each side; then the version is recalled."""
    story.chapter("An exchange: sent, received, used. Each half on its own ledger, each citing the other")
    market, tax = story.cluster["market-regulation"].sdk, story.cluster["taxation"].sdk
    case = "办件 2026-11-0042"
    data = story.folder / "licences.csv"
    data.write_text(
        "code,name\n" + "".join(f"9131011500000{n:04d}X,Company {n}\n" for n in range(20_000)), encoding="utf-8"
    )
    version = story.record(
        f"市场监管局 provides a version: {data.stat().st_size:,} bytes hashed where they are; they never leave",
        market.provide(
            "SCJG-0012",
            file=data,
            rows=20_000,
            desensitised={"method": "masked but for the surname", "fields": ["legal representative"]},
        ),
    )
    with market.sending(version, to="taxation", grant=grant, case=case) as sending:
        copy = story.folder / "received.csv"
        shutil.copyfile(data, copy)  # how the data itself moves is not the ledger's business
    story.record("市场监管局 noted the sending before the first byte left", sending.receipt)
    with tax.receiving(sending.exchange, of=version, case=case) as receiving:
        receiving.file(copy)
    assert receiving.receipt is not None
    story.record("税务局 noted what it received: the same digest, citing the other half", receiving.receipt)
    with tax.recorder() as recorder:
        uses = [
            recorder.use(
                version,
                purpose="tax-registration",
                case=case,
                officer="taxation:o-7f3a",
                subject=Sensitive(f"310115198001{n:06d}"),
                happened_at=at(story, 1),
            )
            for n in range(150)
        ]
    story.tell(
        f"{uses[0].result().reference:<22} to #{uses[-1].result().index}: 税务局 used it 150 times; "
        "each subject is a commitment"
    )
    story.record(
        "市场监管局 recalls the version: a column was shifted",
        market.recall(version, reason="the column of names was shifted by one row"),
    )
    return sending.receipt


def one_sided(story: Story) -> None:
    """A request answered as it should be, and data that one side never noted."""
    story.chapter("A request refused with its reason, and data that only one side noted")
    office, planning = story.cluster["data-office"].sdk, story.cluster["planning"].sdk
    asked = story.record(
        "数据局 asks 规划资源局 for GH-0007",
        office.request("GH-0007", provider="planning", purpose="joint-supervision"),
    )
    story.record(
        "规划资源局 denies it, and says why",
        planning.deny(asked, to="data-office", resource="GH-0007", reason="surveying results of restricted precision"),
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
    story.run("tally", "show", sent.reference)
    evidence = story.folder / "sent.tlog-proof"
    story.chapter("One entry proven offline: the file, the charter, nothing else. All nodes are stopped meanwhile")
    story.run("tally", "prove", sent.reference, "-o", str(evidence))
    story.cluster.stop()
    answer = story.run("tally", "verify", str(evidence))
    story.check("an entry is proven offline, with every node stopped", sent.reference in answer)
    story.cluster.start()


def judge(story: Story) -> None:
    """The audit, two weeks from now, when every deadline that was missed has passed."""
    on = (date.today() + timedelta(days=14)).isoformat()
    story.chapter(f"The audit: every ledger read whole, judged as of {on}, when what is owed now is overdue")
    story.run("tally", "audit", "--on", on, "--lang", "zh", expect=1)
    found = story.document("tally", "audit", "--on", on, expect=1)["findings"]
    rules = sorted(finding["rule"] for finding in found)
    story.check(f"the audit finds exactly what went wrong: {'; '.join(WRONG.values())}", rules == sorted(WRONG))
    unsupervised = next(finding for finding in found if finding["rule"] == "approver-without-supervisor")
    story.chapter("The bureau answers the finding on its own ledger; the auditor's page shows both")
    planning = str(story.folder / "profiles" / "planning.toml")
    story.run(
        *("tally", "--profile", planning, "answer", unsupervised["id"]),
        *("--outcome", "explained", "--words", "supervision goes to the inspection brigade from Monday on"),
    )
    answer = story.run("tally", "who", "310115-GH-03", "--lang", "zh")
    story.check("an auditor is told who answers for the matter", "规划资源局" in answer)
    story.run("tally", "reconcile", expect=1)
    page = story.folder / "audit.html"
    story.run("tally", "report", "--on", on, "-o", str(page))
    story.check("the report is one page that stands alone", "</html>" in page.read_text(encoding="utf-8"))


def tamper(story: Story, sent: Receipt) -> None:
    """Somebody alters a ledger's stored bytes; no reader believes them."""
    story.chapter("Somebody alters one byte of what 市场监管局 stored, below the database's own checksums")
    market = story.cluster["market-regulation"]
    with market.stopped(broken_on_purpose=True) as disk:
        whole = {key: disk.get(key) for key in disk.keys(keyspace.SEGMENT)}
        disk.flip_byte_of(sent.ref)
    story.tell(f"one byte of {sent.reference} differs now; the node runs again and says nothing")
    answer = story.run("tally", "show", sent.reference, expect=5)
    story.check("an auditor's client refuses the altered entry and names it", sent.reference in answer)
    answer = story.run("tally", "audit", "--rule", "tree-mismatch", "--lang", "zh", expect=1)
    story.check("the audit says so of the node, and goes on with the others", "树根不符" in answer)
    market.stop()
    answer = story.run("tallyd", "fsck", str(market.settings.path.parent), expect=5)
    story.check("the node's own check names the entry that was altered", f"#{sent.index}" in answer)
    with market.stopped() as disk:
        for key, value in whole.items():
            disk.put(key, value)


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
            grant = backlog(story)
            duties(story)
            sent = exchange(story, grant)
            one_sided(story)
            look(story, sent)
            judge(story)
            tamper(story, sent)
            rewrite_properly(story)
            pids = [member.running.pid for member in cluster if member.running is not None]
        alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        story.check("nothing is left running", not alive)
    story.chapter(f"In the end ({time.monotonic() - started:.0f} s)")
    for what in story.kept:
        story.tell(f"held: {what}")
    story.tell("What is witnessed, other bureaus hold too: who rewrites it is proven to have signed both.")


if __name__ == "__main__":
    main()
