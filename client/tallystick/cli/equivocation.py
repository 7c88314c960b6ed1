"""Prove: what `tally verify` says of a file that proves two histories under one key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallystick.cli.options import Session
from tallystick.core.counted import counted_entries

if TYPE_CHECKING:
    from tallystick.cli.describe import Describer
    from tallystick.core.charter import Bureau
    from tallystick.core.equivocation import Equivocation


def print_equivocation(session: Session, describer: Describer, bureau: Bureau, proven: Equivocation) -> None:
    """Two histories that were proven, with what that means and what it does not."""
    output, say = session.output, session.output.say
    smaller, larger, key = proven.smaller, proven.larger, proven.key
    name = describer.bureau(bureau.id)
    verified, not_covered = sentences(session, name, proven)
    if output.json:
        checkpoints = {
            name: {"size": each.size, "root": each.root.hex()} for name, each in (("a", smaller), ("b", larger))
        }
        output.document(
            {
                "evidence": "equivocation",
                "bureau": bureau.id,
                "origin": bureau.origin,
                "key": key.public.hex(),
                "checkpoints": checkpoints,
                "root_in_b": proven.root.hex(),
                "cosigners": [key.name for key in proven.cosigners],
                "verified": verified,
                "not_covered": not_covered,
            }
        )
        return
    facts = [
        (say("ledger", "台账"), f"{name} ({bureau.origin})"),
        (say("key", "公钥"), key.public.hex()),
        (say("checkpoint A", "封账点甲"), say(counted_entries(smaller.size), f"{smaller.size} 条")),
        (say("root in A", "甲之树根"), smaller.root.hex()),
        (say("checkpoint B", "封账点乙"), say(counted_entries(larger.size), f"{larger.size} 条")),
        (say(f"root of {smaller.size} in B", f"乙之前 {smaller.size} 条树根"), proven.root.hex()),
    ]
    if proven.cosigners:
        facts.append((say("cosigned both", "副署两者"), ", ".join(key.name for key in proven.cosigners)))
    output.facts(facts)
    output.line()
    output.line(verified)
    output.line(not_covered)


def sentences(session: Session, name: str, proven: Equivocation) -> tuple[str, str]:
    """What is proven of the key, and what is not."""
    say = session.output.say
    smaller, larger = proven.smaller.size, proven.larger.size
    if smaller == larger:
        verified = say(
            f"Proven: the key of {name} signed two different histories of {counted_entries(smaller)}.",
            f"已证明：{name}的密钥签署了两套账，均为 {smaller} 条而树根不同。",
        )
    else:
        verified = say(
            f"Proven: the key of {name} signed two different histories; its {counted_entries(larger)} do not extend its"
            f" {smaller}.",
            f"已证明：{name}的密钥签署了两套账，其 {larger} 条并不承接其 {smaller} 条。",
        )
    return verified, say(
        "Not covered: who held the key, which of the two is true, and whether it was meant; two writers under one key"
        " do the same.",
        "未覆盖：密钥由谁持有、两者孰真、是否有意；两处以同一密钥写入，结果相同。",
    )
