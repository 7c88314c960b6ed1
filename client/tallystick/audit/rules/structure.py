"""Rules on the ledgers themselves: what is wrong with one, or with what its node shows of it.

A `Fault` goes by the rule that reports it. What a ledger's own key signed for is proven against that ledger; what only
does not fit together is an observation about the server that answered. `{error}` is the verifier's own word, quoted.
"""

from __future__ import annotations

from tallystick.audit.finding import Fact, Found, Standing
from tallystick.audit.pass_ import BrokenReference
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.strand import Fault
from tallystick.audit.views.recoveries import Lost


def _fault(fault: Fault, seen: Seen) -> Findings:
    """It arises when it is seen, whenever what it is about was recorded: that moment is the forger's to choose."""
    yield Found(fault.bureau, (fault.reference,), seen.as_of.at_us - 1, {"error": fault.error}, also=fault.also)


@rule(
    named="链条断裂",
    en="the ledger of {bureau} does not follow from one entry to the next: {error}",
    zh="{bureau} 的台账前后条目不相衔接，核验信息：“{error}”",
)
def chain_broken(fault: Fault, seen: Seen) -> Findings:
    """Under a checkpoint that the ledger's key signed."""
    return _fault(fault, seen)


@rule(
    named="条目不规范",
    en="the ledger of {bureau} holds an entry that is not well formed: {error}",
    zh="{bureau} 的台账中有不规范条目，核验信息：“{error}”",
)
def malformed_entry(fault: Fault, seen: Seen) -> Findings:
    """Not the one canonical encoding; fields of a newer version are not a fault."""
    return _fault(fault, seen)


@rule(
    named="签名无效",
    en="the ledger of {bureau} holds a submission that its author did not sign so: {error}",
    zh="{bureau} 的台账中有签名无效的提交，核验信息：“{error}”",
)
def signature_invalid(fault: Fault, seen: Seen) -> Findings:
    """A signature that does not verify, or by a key that was not valid there."""
    return _fault(fault, seen)


@rule(
    named="树根不符",
    en="the node of {bureau} shows what is not in the ledger it signed: {error}",
    zh="{bureau} 的节点所示内容不在其签署的台账之中，核验信息：“{error}”",
    standing=Standing.OBSERVED,
)
def tree_mismatch(fault: Fault, seen: Seen) -> Findings:
    """An observation about the server that answered, not about the ledger."""
    return _fault(fault, seen)


@rule(
    named="账目倒退",
    en="the node of {bureau} shows less than it has shown before: {error}",
    zh="{bureau} 的节点所示少于先前所示，核验信息：“{error}”",
    standing=Standing.OBSERVED,
)
def rollback(fault: Fault, seen: Seen) -> Findings:
    """An observation about the server that answered; an older state may be a backup, or a lie."""
    return _fault(fault, seen)


@rule(
    named="两套账",
    en="there are two histories of {bureau}, by one writer or by two under one key: {error}",
    zh="{bureau} 的密钥签署了两套账（一处所为，或两处以同一密钥写入），核验信息：“{error}”",
)
def equivocation(fault: Fault, seen: Seen) -> Findings:
    """Two checkpoints that no one ledger can have, by a file that this client keeps or entries that carry one, whoever
    recorded them. It convicts the key alone.
    """
    return _fault(fault, seen)


@rule(
    named="已回执条目丢失",
    en="{bureau} signed {size} entries, with {cosigned} of the {needed} cosignatures needed, and no longer holds what"
    " stood above {held}{what}",
    zh="{bureau} 曾签署 {size} 条（所需副署 {needed} 个，已有 {cosigned} 个），现已不存 {held} 条之后的条目{what}",
)
def acknowledged_lost(lost: Lost, seen: Seen) -> Findings:
    """Signed under a key that the charter ends below, and not held by the ledger now. With a quorum's cosignatures it
    would be `equivocation`; with fewer nobody was promised that it could be recovered, and nobody is accused.
    """
    each, recovery = lost.acknowledged, lost.recovery
    facts: dict[str, Fact] = {
        "size": each.checkpoint.size,
        "cosigned": each.cosigned,
        "needed": each.needed,
        "held": each.vouches if recovery is None else recovery.said.lost_above or each.vouches,
        "what": "lost-unsaid" if recovery is None else "lost-as-said",
    }
    also = () if recovery is None else (recovery.reference,)
    yield Found(lost.bureau, (lost.reference,), seen.as_of.at_us - 1, facts, also=also)


@rule(
    named="待核对",
    en="the node of {bureau} does not show that what it signed extends what it signed before: {error}",
    zh="{bureau} 的节点未能证明其现有台账承接先前所签，核验信息：“{error}”",
    standing=Standing.OBSERVED,
)
def unreconciled(fault: Fault, seen: Seen) -> Findings:
    """A suspicion that a later proof clears."""
    return _fault(fault, seen)


@rule(
    named="引用不实",
    en="{bureau} cites {cited}, and another entry stands there",
    zh="{bureau} 引用的 {cited} 处是另一条目",
    standing=Standing.ONE_SIDE,
)
def broken_reference(broken: BrokenReference, seen: Seen) -> Findings:
    """Two claims differ, and neither bureau is convicted."""
    cited = seen.reference(broken.cited.origin, broken.cited.index)
    yield broken.entry.finding(cited, cited=cited)
