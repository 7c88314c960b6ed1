"""Findings in words, English and Chinese: the one place where what a rule saw becomes a sentence. Coverage in words is
`covered`.

A sentence ends with how far it is proven. Facts are shown by their names: bureaus by what the charter calls them,
duties and fields by the labels of their kinds, coded words from the table below, days as each language writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from tallystick.audit.finding import Fact, Finding
from tallystick.audit.rule import RULES
from tallystick.core.charter import Charter
from tallystick.core.counted import counted, counted_entries
from tallystick.core.identifiers import HOLDERS, NOBODY
from tallystick.core.kinds import BY_NAME, enum_label
from tallystick.core.quorum import Quorum
from tallystick_proto.v1.statement_pb2 import DutyAssigned

_BUREAUS: Final = frozenset({"bureau", "other", "to", "approver"})
_CODED: Final[Mapping[str, tuple[str, str]]] = {
    "cites-no-grant": ("cites no grant", "未引用同意共享"),
    "not-a-grant": ("what it cites is no grant", "所引用的条目不是同意共享"),
    "grant-does-not-hold": ("the grant it cites does not hold for it", "所引用的同意共享不适用"),
    "no-grant": ("there is no grant", "没有同意共享"),
    "still-late": ("is", "未"),
    "was-late": ("was", ""),
    "late-when-suspended": ("was, when it was suspended,", "（至其暂停时）未"),
    "late-when-closed": ("was, when it was closed,", "（至其关闭时）未"),
    "late-when-other-closed": ("was, when the other side was closed,", "（至对方关闭时）未"),
    "served-cosigned": ("served by cosignature", "以副署送达"),
    "served-acknowledged": ("served by acknowledgement", "以签收送达"),
    "served-deemed": ("deemed served", "视为送达"),
    "served-witnessed": ("witnessed", "经见证"),
    "served-as-recorded": ("recorded as witnessed", "入账经见证"),
    "served-by-word": ("recorded by its node's word", "入账时间以其节点所称为准"),
    "served-brought-in": ("by its actor's word", "时间以其经办人所称为准"),
    "dated-later": ("later", "晚"),
    "dated-earlier": ("earlier", "早"),
    "signed-two-texts": ("signed two texts", "签署了两个不同文本"),
    "goes-by-another-text": ("goes by another text than this client", "所采用的文本与本端所知不同"),
    "lost-as-said": (", as it said when it was recovered", "，其恢复时亦如此陈述"),
    "lost-unsaid": ("", ""),
    "day": ("outside its term, on ", "在期限之外，"),
    "fields": ("fields ", "信息项 "),
    "purpose": ("purpose ", "用途 "),
    "system": ("system ", "系统 "),
}


class Words:
    """Puts what was found and shown into one language, under one charter."""

    def __init__(self, charter: Charter, language: str) -> None:
        self.language = language
        self._charter = charter
        self._labels = {bureau.id: bureau.label("zh") for bureau in charter.bureau} if language == "zh" else {}
        self._labels.setdefault(HOLDERS, self.say("the holders of the charter's keys", "章程密钥持有人"))
        self._labels.setdefault(NOBODY, self.say("nobody yet", "尚无责任单位"))

    def say(self, en: str, zh: str) -> str:
        """Whichever of the two the language is."""
        return zh if self.language == "zh" else en

    def bureau(self, bureau: str) -> str:
        """What a bureau is called: its short name in Chinese, its id in English."""
        return self._labels.get(bureau, bureau)

    def rule(self, rule: str) -> str:
        """What a rule is called."""
        return RULES[rule].label(self.language)

    def sentence(self, finding: Finding) -> str:
        """What a finding says, and how far it is proven."""
        rule = RULES[finding.rule]
        facts = {name: self._fact(name, fact) for name, fact in finding.facts.items()}
        said = self.say(rule.en, rule.zh).format_map({"bureau": self.bureau(finding.bureau), **facts})
        if finding.times > 1:
            said += self.say(f", {finding.times} times", f"，共 {finding.times} 次")
        said += self.say(f" ({finding.standing.label('en')})", f"（{finding.standing.label('zh')}）")
        if finding.suspect:
            named = self.say(", ", "、").join(finding.suspect)
            said += self.say(
                f"; suspect, signed by a key that was compromised by then: {named}",
                f"；存疑，签署密钥其时已可疑：{named}",
            )
        return said

    def day(self, day: date) -> str:
        """A day as the language writes it."""
        return self.say(day.isoformat(), f"{day.year}年{day.month}月{day.day}日")

    def working_days(self, days: int) -> str:
        """How many working days after 逾期; what is late by hours or over a weekend is late by less than one."""
        if not days:
            return self.say("less than a working day", "不足 1 个工作日")
        return self.say(counted(days, "working day"), f" {days} 个工作日")

    def field(self, field: str) -> str:
        """What a field of an exchange's half is called."""
        use = BY_NAME["DataReceived"].use(field)
        return field if use is None else use.label(self.language)

    def _field(self, field: str, value: str) -> str:
        """A field by what it is called, with what it says; a bureau by its name alone."""
        if field == "bureau":
            return self.bureau(value)
        return f"{self.field(field)} {value}"

    def _fact(self, name: str, fact: Fact) -> str:
        match fact:
            case date():
                return self.day(fact)
            case frozenset():
                return self.say(", ", "、").join(sorted(fact))
            case tuple():
                return self.say(", ", "、").join(self._field(field, value) for field, value in fact)
            case int() if name == "times":
                return self.say("once" if fact == 1 else f"{fact} times", f"{fact} 次")
            case int():
                return self.working_days(fact) if name == "days" else str(fact)
        if name in _BUREAUS:
            return self.bureau(fact)
        if name == "resource" and not fact:
            return self.say("data it does not name", "未指明的数据")
        if name == "duty":
            return enum_label(DutyAssigned.Duty.DESCRIPTOR, DutyAssigned.Duty.Value(fact.upper()), self.language)
        if name in ("why", "what", "late", "served"):
            return self.say(*_CODED.get(fact, (fact, fact)))
        return fact

    # How a ledger, or an entry, was shown.

    def has_quorum(self, bureau: str) -> bool:
        """Whether the charter gives a ledger a quorum of witnesses."""
        return self._charter.quorum_of(self._charter.by_id(bureau)) is not None

    def witnessed(self, bureau: str, index: int, witnessed: int | None) -> str:
        """Says whether an entry of a ledger is among those a quorum cosigned, of which there are `witnessed`, or else
        among those that the charter pins.
        """
        pinned = self._charter.by_id(bureau).pinned
        if pinned is not None and (witnessed or 0) <= index < pinned.size:
            return self.say(
                "Pinned by the charter, whose holders signed for it; that a quorum has cosigned it is not shown.",
                "由章程锁定，章程密钥持有人已签署；未示副署达到门限。",
            )
        if witnessed is None and self.has_quorum(bureau):
            return self.say(
                "Not shown now whether it is witnessed: neither its node nor a quorum of its ledger's witnesses says.",
                "此刻未示是否已获见证：其节点及达到门限的见证单位均未应答。",
            )
        if witnessed is None:
            return self.say(
                "Unwitnessed: under this charter its ledger has no quorum of witnesses.",
                "未经见证：按本章程，其台账的见证单位不足。",
            )
        if index < witnessed:
            return self.say(
                "Witnessed: a quorum of the ledger's witnesses under this charter holds it.",
                "已获见证：达到本章程门限的见证单位持有本条。",
            )
        return self.say(
            "Unwitnessed: it is not shown that a quorum has cosigned it.",
            "未经见证：未示副署达到门限。",
        )

    def cosigned(self, by: Sequence[str], count: int, quorum: Quorum | None) -> str:
        """Says which witnesses cosigned a checkpoint, of whom so many count, and whether that is enough."""
        en = (
            f"its checkpoint is cosigned by {', '.join(by)}"
            if by
            else "its checkpoint carries no witness's cosignature"
        )
        zh = f"其封账点由{'、'.join(map(self.bureau, by))}副署" if by else "其封账点无见证单位副署"
        if quorum is None:
            return self.say(
                f"Unwitnessed: {en}, and under this charter its ledger has no quorum of witnesses.",
                f"未经见证：{zh}，按本章程其台账的见证单位不足。",
            )
        en += f": {count} of its {quorum.witnesses} witnesses, and {quorum.needed} are a quorum under this charter"
        zh += f"，见证单位 {quorum.witnesses} 家中计 {count} 家，本章程门限为 {quorum.needed} 家"
        if count >= quorum.needed:
            return self.say(f"Witnessed: {en}.", f"已获见证：{zh}。")
        return self.say(f"Not proven to be witnessed: {en}.", f"未证明已获见证：{zh}。")

    def shown_by(self, bureau: str, keeper: str, size: int) -> str:
        """Says that a ledger was read from a copy."""
        name, witness = self.bureau(bureau), self.bureau(keeper)
        return self.say(
            f"The node of {name} is out of reach: its ledger as the copy of {witness} shows it,"
            f" {counted_entries(size)}; what came later is not covered.",
            f"{name}节点无法连接：其台账据{witness}所存副本，至第 {size} 条；其后入账的未覆盖。",
        )
