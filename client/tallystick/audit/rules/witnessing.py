"""Rules on what witnesses' cosignatures show of a ledger and its node."""

from __future__ import annotations

from tallystick.audit.finding import Found
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.witness_times import Skew

_MINUTE_US = 60 * 1_000_000


@rule(
    named="时钟偏差",
    en="the node of {bureau} dates #{index} {minutes} minutes {what} than its witnesses' cosignatures allow",
    zh="{bureau} 的节点所记 #{index} 的入账时间比见证副署所容许的{what} {minutes} 分钟",
)
def clock_skew(skew: Skew, seen: Seen) -> Findings:
    """That its word and a quorum's times differ. Not which clock is wrong, nor why; deadlines go by the quorum's."""
    facts = {
        "index": skew.index,
        "minutes": skew.by_us // _MINUTE_US,
        "what": "dated-later" if skew.later else "dated-earlier",
    }
    also = (skew.also,) if skew.also else ()
    yield Found(skew.bureau, (f"{skew.bureau}#{skew.index}",), skew.at_us, facts, once=skew.later, also=also)
