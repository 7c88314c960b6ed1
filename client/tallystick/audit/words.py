"""Findings and coverage in words, English and Chinese: the one place where what a rule saw becomes a sentence.

A sentence ends with how far it is proven. Facts are shown by their names: bureaus by what the charter calls them,
duties and fields by the labels of their kinds, coded words from the table below, days as each language writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.finding import HOLDERS, Fact, Finding
from tallystick.audit.rule import RULES
from tallystick.core.charter import Charter
from tallystick.core.counted import counted, counted_entries
from tallystick.core.kinds import BY_NAME, enum_label
from tallystick_proto.v1.statement_pb2 import DutyAssigned

_BUREAUS: Final = frozenset({"bureau", "other", "to", "approver"})
_CODED: Final[Mapping[str, tuple[str, str]]] = {
    "cites-no-grant": ("cites no grant", "未引用同意共享"),
    "not-a-grant": ("what it cites is no grant", "所引用的条目不是同意共享"),
    "grant-does-not-hold": ("the grant it cites does not hold for it", "所引用的同意共享不适用"),
    "no-grant": ("there is no grant", "没有同意共享"),
    "still-late": ("is", "未"),
    "was-late": ("was", ""),
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
    """Puts findings and coverage into one language, under one charter."""

    def __init__(self, charter: Charter, language: str) -> None:
        self.language = language
        self._labels = {bureau.id: bureau.label("zh") for bureau in charter.bureau} if language == "zh" else {}
        self._labels.setdefault(HOLDERS, self.say("the holders of the charter's keys", "章程密钥持有人"))

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

    # Coverage.

    def coverage(self, coverage: Coverage) -> Iterator[str]:
        """What an answer speaks of, and what it does not: one sentence a line."""
        ledgers = coverage.ledgers
        yield self.say(
            f"Coverage: {counted(len(ledgers), 'ledger')},"
            f" {counted_entries(coverage.entries)} verified"
            f" ({'full pass' if coverage.full else 'as answered'}), charter {coverage.charter} version"
            f" {coverage.version}, as of {coverage.day.isoformat()}.",
            f"核查范围：{len(ledgers)} 本台账，共 {coverage.entries:,} 条已核验"
            f"（{'全范围' if coverage.full else '以节点所答为限'}），章程 {coverage.charter} 第 {coverage.version} 版，"
            f"截至 {self.day(coverage.day)}。",
        )
        for ledger in ledgers:
            yield from self._ledger(ledger, coverage.full)
        for keeper in dict.fromkeys(ledger.keeper for ledger in ledgers if not ledger.away and ledger.keeper):
            kept = [self.bureau(ledger.bureau) for ledger in ledgers if not ledger.away and ledger.keeper == keeper]
            yield self.say(
                f"Read from the copies that {keeper} keeps, up to what it had cosigned: {', '.join(kept)}.",
                f"据 {self.bureau(keeper)} 所存副本核查，以其已副署者为限：{'、'.join(kept)}。",
            )
        yield from self._compared(coverage)
        if not coverage.full:
            yield self.say(
                "Each entry shown is proven to be in its ledger; that none was left out is not.",
                "所示各条均已证明在其台账之中；是否有遗漏未予证明。",
            )
        yield from self._witnessed([ledger for ledger in ledgers if ledger.checkpoint is not None])
        yield self.say(
            "Clocks run from service as cosignatures show it, where none do from recording by its node's word.",
            "期限自见证副署所示送达起算，无副署的自其节点所称入账起算。",
        )
        if coverage.unset:
            names = ", ".join(coverage.unset)
            yield self.say(
                f"The rulebook does not set, and nothing is judged by: {names}.", f"规则未设定、未据以判断：{names}。"
            )
        if coverage.years:
            years = ", ".join(map(str, coverage.years))
            yield self.say(
                f"The charter names no holidays of {years}: every Monday to Friday counted as a working day.",
                f"章程未载 {years} 年节假日：周一至周五均按工作日计。",
            )
        for (rule, bureau), count in sorted(coverage.unjudged.items()):
            if bureau:
                yield self.say(
                    f"Not judged: {count} of {self.rule(rule)}, because the ledger of {bureau} is not covered.",
                    f"未判断：{self.rule(rule)} {count} 项，因{self.bureau(bureau)}的台账未覆盖。",
                )
            else:
                yield self.say(
                    f"Not judged: {count} of {self.rule(rule)}, because the charter knows no such ledger.",
                    f"未判断：{self.rule(rule)} {count} 项，因章程中无所称单位的台账。",
                )

    def _witnessed(self, ledgers: Sequence[LedgerCoverage]) -> Iterator[str]:
        """How far the ledgers that were shown are witnessed, and what is not."""
        quorate = [ledger for ledger in ledgers if ledger.witnessed is not None]
        if quorate:
            size = sum(ledger.size for ledger in quorate)
            lacking = [ledger for ledger in quorate if ledger.unwitnessed]
            witnessed = size - sum(ledger.unwitnessed for ledger in lacking)
            en = f"Witnessed by a quorum under this charter: {witnessed:,} of {counted_entries(size)}"
            zh = f"已由达到本章程门限的单位见证：{size:,} 条中 {witnessed:,} 条"
            for kept, said_en, said_zh in (
                (False, "unwitnessed, its own node's word alone", "未经见证、仅凭其节点"),
                (True, "not shown to be witnessed, by the copy's keeper alone", "未示已获见证、仅凭副本持有者"),
            ):
                those = [ledger for ledger in lacking if (ledger.keeper != "") is kept]
                if those:
                    en += f"; {said_en}: " + ", ".join(
                        f"{self.bureau(ledger.bureau)} from #{ledger.witnessed} on" for ledger in those
                    )
                    zh += f"；{said_zh}：" + "、".join(
                        f"{self.bureau(ledger.bureau)}自 #{ledger.witnessed} 起" for ledger in those
                    )
            yield self.say(f"{en}.", f"{zh}。")
        alone = [self.bureau(ledger.bureau) for ledger in ledgers if ledger.witnessed is None]
        if alone:
            yield self.say(
                f"No quorum of witnesses under this charter, so that a rewrite is not covered: {', '.join(alone)}.",
                f"按本章程见证单位不足，其改写未覆盖：{'、'.join(alone)}。",
            )

    def witnessed(self, index: int, witnessed: int | None) -> str:
        """Says whether an entry is among those a quorum cosigned, of which there are `witnessed`."""
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

    def shown_by(self, bureau: str, keeper: str, size: int) -> str:
        """Says that a ledger was read from a copy."""
        name, witness = self.bureau(bureau), self.bureau(keeper)
        return self.say(
            f"The node of {name} is out of reach: its ledger as the copy of {witness} shows it,"
            f" {counted_entries(size)}; what came later is not covered.",
            f"{name}节点无法连接：其台账据{witness}所存副本，至第 {size} 条；其后入账的未覆盖。",
        )

    def _compared(self, coverage: Coverage) -> Iterator[str]:
        """How many other nodes each checkpoint was held against, and which nodes said nothing."""
        by_count: dict[int, list[str]] = {}
        for ledger in coverage.ledgers:
            if ledger.compared is not None:
                by_count.setdefault(ledger.compared, []).append(self.bureau(ledger.bureau))
        for count, names in sorted(by_count.items(), reverse=True):
            which = self.say(", ", "、").join(names)
            if len(by_count) == 1:
                which = self.say("each ledger", "各台账")
            yield self.say(
                f"Checkpoints compared with what {counted(count, 'other node holds', 'other nodes hold')}: {which}.",
                f"封账点已与其他 {count} 个节点所存相核对：{which}。",
            )
        if coverage.silent_nodes:
            silent = ", ".join(coverage.silent_nodes)
            yield self.say(
                f"Nodes that did not say what they hold: {silent}.",
                f"未答复所存封账点的节点：{'、'.join(map(self.bureau, coverage.silent_nodes))}。",
            )

    def _ledger(self, ledger: LedgerCoverage, full: bool) -> Iterator[str]:
        name = self.bureau(ledger.bureau)
        if ledger.away and ledger.checkpoint is not None:
            yield self.shown_by(ledger.bureau, ledger.keeper, ledger.size)
        if ledger.gap and full:
            yield self.say(
                f"Not covered: {name} from #{ledger.checked} on: {ledger.gap}.",
                f"未覆盖：{name} 自 #{ledger.checked} 起：{ledger.gap}。",
            )
        elif ledger.gap:
            yield self.say(
                f"Not covered: {name}, but for what is shown: {ledger.gap}.",
                f"未覆盖：{name}（已示条目除外）：{ledger.gap}。",
            )
        if ledger.forked:
            yield self.say(
                f"Not to be believed: {name}, whose key signed two histories; what it lacks accuses nobody.",
                f"不可采信：{name}，其密钥签署了两套账；其台账所缺不据以指控任何人。",
            )
        if ledger.later_charter:
            yield self.say(
                f"{name} goes by version {ledger.later_charter} of the charter, which this client does not know.",
                f"{name} 采用章程第 {ledger.later_charter} 版，本端未知该版。",
            )
        if ledger.later:
            yield self.say(
                f"Not judged: entries of {name} that its node's clock puts after that day: {ledger.later:,}.",
                f"未判断：据{name}节点时钟系截止日之后入账的条目：{ledger.later:,} 条。",
            )
        if ledger.not_understood:
            yield self.say(
                f"{counted_entries(ledger.not_understood)} of {name}"
                f" say{'s' if ledger.not_understood == 1 else ''} more than this version understands.",
                f"{name} 有 {ledger.not_understood} 条含本版本不识别的内容。",
            )
