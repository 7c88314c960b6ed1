"""The demonstration's ending: one bureau rewrites its own ledger properly, and the others prove it."""

from __future__ import annotations

from scripts.telling import Story
from tallystick_node.cluster.member import Member
from tallystick_proto.v1.statement_pb2 import Statement
from tests.harness.forger import Forger, rewrite
from tests.harness.waiting import until

FORGER = "planning"
WITNESSED_MAX_S = 30.0
FOUND, CEASED = "evidence recorded", "not cosigned from now on"
INCONVENIENT = ("duty_released", "concern_answered", "checkpoint_witnessed")
"""What is left out: the release, the answer to the finding about it, and what cites the ledger as it was."""


def convenient(said: Statement) -> bool:
    """Whether a statement stays."""
    return said.WhichOneof("said") not in INCONVENIENT


def rewrite_properly(story: Story) -> None:
    """The release of a supervisor disappears; the history without it is valid, and signed with the ledger's own key."""
    cluster = story.cluster
    forger, others = cluster[FORGER], [member for member in cluster if member.id != FORGER]
    story.chapter("规划资源局 rewrites its own ledger, properly: the supervisor of 310115-GH-03 was never released")
    forger.stop()
    left = rewrite(forger, convenient)
    story.tell(f"{left} entries are left. Chain, tree and every signature are valid; its own check finds nothing:")
    answer = story.run("tallyd", "fsck", str(forger.home))
    story.check("the rewritten ledger is valid by itself", "no difference" in answer)
    story.tell("but before it signs anything, a node asks its witnesses what they hold of its ledger:")
    answer = story.run("tallyd", "run", str(forger.home), expect=4)
    story.check("on a ledger that its witnesses contradict, a node signs nothing", "signed with its key" in answer)

    story.chapter(
        "So 规划资源局 runs software of its own, which does not ask, and signs the other history with its key"
    )
    with Forger(forger):
        until(lambda: all(said in member.log_text for member in others for said in (FOUND, CEASED)))
        prove(story, forger)
        go_on(story)


def prove(story: Story, forger: Member) -> None:
    """What the others recorded, and what anybody makes of it."""
    story.tell("the other nodes met it in what they swap with each other; an auditor's client asks them all:")
    answer = story.run("tally", "status", expect=5)
    ceased = answer.count(f"cosigns {forger.id} no more")
    story.check("nobody cosigns the forged ledger", ceased == len(story.cluster.members) - 1)
    story.tell("each of them has recorded the proof, once; of the forged ledger nothing is believed any more:")
    answer = story.run("tally", "log", "--all-bureaus", "--kind", "EquivocationFound", expect=5)
    recorded = answer.count(f"accused {forger.id}")
    story.check("every other bureau's ledger holds the evidence", recorded == len(story.cluster.members) - 1)
    answer = story.run("tally", "audit", "--rule", "equivocation", "--lang", "zh", expect=1)
    story.check("the audit calls it two histories under one key, proven", "两套账" in answer and "已证明" in answer)
    (evidence,) = story.folder.glob("state/audit-office/trust/*.equivocation")
    story.tell("the evidence is one file, which anybody with the charter judges offline:")
    answer = story.run("tally", "verify", str(evidence))
    story.check("one file proves it offline", "signed two different histories" in answer)


def go_on(story: Story) -> None:
    """The others exchange as before."""
    story.chapter("All others go on")
    market, tax = story.cluster["market-regulation"].sdk, story.cluster["taxation"]
    sending = market.sending(
        "SCJG-0012@next", to=tax.id, digest=f"blake3:{'5a' * 32}", size=7, wait_witnessed_s=WITNESSED_MAX_S
    )
    with sending as going:
        receipt = story.record("市场监管局 sends to 税务局, and a quorum holds the record of it", going.receipt)
    story.check("what the others exchange is witnessed as before", receipt.standing == "witnessed")
