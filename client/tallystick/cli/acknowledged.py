"""Prove: what is said of a checkpoint that a ledger's key signed, and that the charter no longer lets it vouch for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallystick.cli.options import Session
from tallystick.core.acknowledged import Acknowledged, Verdict, judge_acknowledged
from tallystick.core.checkpoint import parse_checkpoint
from tallystick.core.counted import counted_entries
from tallystick.core.errors import NotFound, VerificationFailed
from tallystick.core.note import parse_note
from tallystick.core.tlog_proof import parse_tlog_proof

if TYPE_CHECKING:
    from tallystick.core.charter import Charter


def acknowledged_sentence(session: Session, note: bytes, charter: Charter) -> str:
    """What a charter makes of a checkpoint. Raises as `judge_acknowledged`, NotFound where no ledger is named so."""
    bureau = charter.by_origin(parse_checkpoint(parse_note(note).text).origin)
    found = judge_acknowledged(note, charter, bureau)
    return judged_sentence(session, bureau.label(session.language), found)


def lost_presence(session: Session, evidence: bytes, charter: Charter) -> str | None:
    """The sentence for a file of presence whose checkpoint nobody vouches for any more; None where that is not why."""
    try:
        note = parse_tlog_proof(evidence).checkpoint
        bureau = charter.by_origin(parse_checkpoint(parse_note(note).text).origin)
        found = judge_acknowledged(note, charter, bureau)
    except (VerificationFailed, NotFound):
        return None
    return None if found.verdict is Verdict.VOUCHED else judged_sentence(session, bureau.label(session.language), found)


def judged_sentence(session: Session, name: str, found: Acknowledged) -> str:
    """What was found of a checkpoint that the ledger called `name` acknowledged."""
    say = session.output.say
    size, vouches = found.checkpoint.size, found.vouches
    cosigned = say("which had no quorum to ask", "无见证法定数")
    if found.needed:
        cosigned = say(
            f"with {found.cosigned} of {found.needed} cosignatures needed",
            f"副署 {found.cosigned} 个，须 {found.needed} 个",
        )
    signed = say(
        f"{name} signed {counted_entries(size)}, {cosigned}, and the charter ends that key at {vouches}",
        f"{name}曾签署 {size} 条（{cosigned}），章程令该公钥止于 {vouches} 条",
    )
    match found.verdict:
        case Verdict.LOST:
            return say(
                f"acknowledged-lost: {signed}; what stood above was lost when the ledger was recovered or ended, which "
                "accuses nobody",
                f"已回执条目丢失：{signed}；其后条目于恢复或关闭时丢失，不据此指控任何人",
            )
        case Verdict.EQUIVOCATION:
            return say(
                f"equivocation: {signed}; what was witnessed is denied. Proven is that the key signed it, not who held "
                "it; keep this note",
                f"两套账：{signed}；已见证之条目被否认。仅证明该公钥签署，不证明由谁持有；请保留此封账点",
            )
        case Verdict.OPEN:
            return say(
                f"{signed}; whether that is still there, only its ledger can show",
                f"{signed}；其后条目是否尚存，须由该台账示明",
            )
    return say(f"{signed}; it is there", f"{signed}；条目仍在")
