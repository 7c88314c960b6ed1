"""Rules on what witnesses' cosignatures show of a ledger and its node."""

from __future__ import annotations

from tallystick.audit.finding import Fact, Found, Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.histories import CosignedBoth
from tallystick.audit.views.witness_times import Silent, Skew, Unwitnessed
from tallystick.core.identifiers import NOBODY

_MINUTE_US = 60 * 1_000_000


@rule(
    named="时钟偏差",
    en="the node of {bureau} dates #{index} {minutes} minutes {what} than its witnesses' cosignatures allow",
    zh="{bureau} 的节点所记 #{index} 的入账时间比见证副署所容许的{what} {minutes} 分钟",
    standing=Standing.OBSERVED,
)
def clock_skew(skew: Skew, seen: Seen) -> Findings:
    """That its word and a quorum's times differ. Not which clock is wrong, nor why: about nobody yet. Deadlines go by
    the quorum's.
    """
    facts: dict[str, Fact] = {
        "bureau": skew.bureau,
        "index": skew.index,
        "minutes": skew.by_us // _MINUTE_US,
        "what": "dated-later" if skew.later else "dated-earlier",
    }
    also = (skew.also,) if skew.also else ()
    once = (skew.bureau, skew.later)
    yield Found(NOBODY, (f"{skew.bureau}#{skew.index}",), skew.at_us, facts, once=once, also=also)


@rule(
    named="未经见证",
    en="entries of {bureau} from #{index} on that no quorum of witnesses is seen to have cosigned,"
    " {minutes} minutes and more after they were recorded: {count}",
    zh="{bureau} 自 #{index} 起 {count} 条在本次核查询问前逾 {minutes} 分钟入账，未见达到门限的见证副署",
    standing=Standing.OBSERVED,
)
def not_witnessed(found: Unwitnessed, seen: Seen) -> Findings:
    """As far as this audit was shown; it may be the ledger's node, its witnesses or the network. About nobody yet."""
    facts: dict[str, Fact] = {
        "bureau": found.bureau,
        "index": found.index,
        "count": found.count,
        "minutes": _freshness_minutes(seen),
    }
    yield Found(NOBODY, (f"{found.bureau}#{found.index}",), found.at_us, facts)


@rule(
    named="台账失联",
    en="witnesses of {bureau} that are seen to have cosigned its ledger within the {minutes} minutes before this audit"
    " asked: {count} of {witnesses}, and {needed} are needed",
    zh="在本次核查询问前 {minutes} 分钟内，{bureau} 的台账仅见 {count} 家见证单位副署，"
    "应有 {witnesses} 家中的 {needed} 家",
    standing=Standing.OBSERVED,
)
def silent_ledger(silent: Silent, seen: Seen) -> Findings:
    """A ledger that nobody vouches for any more: its node, its witnesses or the network is away. About nobody yet."""
    facts: dict[str, Fact] = {
        "bureau": silent.bureau,
        "count": silent.count,
        "minutes": _freshness_minutes(seen),
        "needed": silent.quorum.needed,
        "witnesses": silent.quorum.witnesses,
    }
    yield Found(NOBODY, (f"{silent.bureau}#{silent.index}",), seen.as_of.at_us - 1, facts)


@rule(
    named="见证矛盾",
    en="the witness key of {bureau} cosigned two different histories of {other}, of {smaller} and of {larger} entries",
    zh="{bureau} 的见证密钥副署了 {other} 互相矛盾的两套账，分别为 {smaller} 条与 {larger} 条",
)
def witness_inconsistent(both: CosignedBoth, seen: Seen) -> Findings:
    """Its cosignatures stand on both notes of a proof of two histories. It convicts the witness's key alone. Neither a
    second cosignature of one note nor one of a smaller checkpoint with a later time contradicts anything.
    """
    facts: dict[str, Fact] = {"other": both.ledger, "smaller": both.sizes[0], "larger": both.sizes[1]}
    yield Found(both.witness, (both.reference,), seen.as_of.at_us - 1, facts, also=both.also)


def _freshness_minutes(seen: Seen) -> int:
    """The charter's freshness, in whole minutes, begun ones counted."""
    return -(-seen.charter.witnessing.freshness_s // 60)
