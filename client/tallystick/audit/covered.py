"""Coverage in words: which ledgers an answer speaks of and how far, how they were shown, and what is not covered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.suspension import Suspension
from tallystick.audit.words import Words
from tallystick.core.closing import Closing
from tallystick.core.counted import counted, counted_entries


def covered(words: Words, coverage: Coverage) -> Iterator[str]:
    """What an answer speaks of, and what it does not: one sentence a line."""
    ledgers = coverage.ledgers
    yield words.say(
        f"Coverage: {_extent(words, coverage)}, charter {coverage.charter} version {coverage.version},"
        f" as of {coverage.day.isoformat()}.",
        f"核查范围：{_extent(words, coverage)}，章程 {coverage.charter} 第 {coverage.version} 版，"
        f"截至 {words.day(coverage.day)}。",
    )
    for ledger in ledgers:
        yield from _ledger(words, ledger, coverage.full)
    for keeper in dict.fromkeys(ledger.keeper for ledger in ledgers if not ledger.own_node_asked):
        kept = [words.bureau(each.bureau) for each in ledgers if not each.own_node_asked and each.keeper == keeper]
        yield words.say(
            f"Read from the copies that {keeper} keeps, up to what it had cosigned: {', '.join(kept)}.",
            f"据 {words.bureau(keeper)} 所存副本核查，以其已副署者为限：{'、'.join(kept)}。",
        )
    yield from (closed(words, closing, coverage) for closing in coverage.closings)
    yield from (suspended(words, suspension) for suspension in coverage.suspensions)
    yield from _compared(words, coverage)
    if not coverage.read:
        return
    if not coverage.full:
        yield words.say(
            "Each entry shown is proven to be in its ledger; that none was left out is not.",
            "所示各条均已证明在其台账之中；是否有遗漏未予证明。",
        )
    yield from _witnessed(words, [ledger for ledger in ledgers if ledger.checkpoint is not None])
    yield words.say(
        "Clocks run from service as cosignatures show it, where none do from recording by its node's word.",
        "期限自见证副署所示送达起算，无副署的自其节点所称入账起算。",
    )
    if coverage.unset:
        names = ", ".join(coverage.unset)
        yield words.say(
            f"The rulebook does not set, and nothing is judged by: {names}.", f"规则未设定、未据以判断：{names}。"
        )
    if coverage.years:
        years = ", ".join(map(str, coverage.years))
        yield words.say(
            f"The charter names no holidays of {years}: every Monday to Friday counted as a working day.",
            f"章程未载 {years} 年节假日：周一至周五均按工作日计。",
        )
    for (rule, bureau), count in sorted(coverage.unjudged.items()):
        if bureau:
            yield words.say(
                f"Not judged: {count} of {words.rule(rule)}, because the ledger of {bureau} is not covered.",
                f"未判断：{words.rule(rule)} {count} 项，因{words.bureau(bureau)}的台账未覆盖。",
            )
        else:
            yield words.say(
                f"Not judged: {count} of {words.rule(rule)}, because the charter knows no such ledger.",
                f"未判断：{words.rule(rule)} {count} 项，因章程中无所称单位的台账。",
            )


def closed(words: Words, closing: Closing, coverage: Coverage) -> str:
    """Says that a bureau is closed, since when and who succeeds it, and of a full pass what is held against nobody for
    that: whose matter that is now.
    """
    name, heir, at = words.bureau(closing.bureau), words.bureau(closing.successor), closing.issued
    since_en = "or by one before it that is not known here" if at is None else f"issued {words.day(at.date())}"
    since_zh = "或此前本端未知之版" if at is None else f"{words.day(at.date())}颁布"
    is_closed = words.say(
        f"{name} is closed by version {closing.version} of the charter, {since_en}, and succeeded by"
        f" {heir or 'nobody'}.",
        f"{name}已由章程第 {closing.version} 版（{since_zh}）关闭，" + (f"由{heir}承继" if heir else "无承继单位"),
    )
    if not coverage.full:
        return is_closed + words.say("", "。")
    left_open, lapsed = coverage.left_open.get((closing.bureau, closing.bureau), 0), coverage.lapsed(closing.bureau)
    what_en, what_zh = "What fell due later is held against nobody", "其后到期者不归责于任何单位"
    if at is None:
        what_en = "What was left open then is held against nobody, since when that was is not known here"
        what_zh = "其何时关闭本端未知，当时未答复者均不归责于任何单位"
    return is_closed + words.say(
        f" {what_en}: {left_open:,} owed by it"
        + (f", which would be for {heir} to answer" if heir else "")
        + f"; {lapsed:,} owed to it.",
        f"；{what_zh}：其应答复他方 {left_open:,} 项"
        + (f"（应由{heir}答复）" if heir else "")
        + f"，他方应答复其 {lapsed:,} 项。",
    )


def suspended(words: Words, suspension: Suspension) -> str:
    """Says that a bureau is suspended, or was, since when and until when, and that its clocks stand still for it."""
    name, at, ended = words.bureau(suspension.bureau), suspension.issued, suspension.ended
    since_en = "or by one before it that is not known here" if at is None else f"issued {words.day(at.date())}"
    since_zh = "或此前本端未知之版" if at is None else f"{words.day(at.date())}颁布"
    if ended is None:
        return words.say(
            f"{name} is suspended by version {suspension.version} of the charter, {since_en}: it can record nothing,"
            " and what it owes falls due only once a version makes it active again.",
            f"{name}已由章程第 {suspension.version} 版（{since_zh}）暂停，其间不能入账；"
            "其应答复事项待章程恢复其在用后继续计期。",
        )
    return words.say(
        f"{name} was suspended by version {suspension.version} of the charter, {since_en}, until version"
        f" {suspension.ended_by}, issued {words.day(ended.date())}: its clocks stood still.",
        f"{name}曾由章程第 {suspension.version} 版（{since_zh}）暂停，至第 {suspension.ended_by} 版"
        f"（{words.day(ended.date())}颁布）止；其间不计期限。",
    )


def _extent(words: Words, coverage: Coverage) -> str:
    """How many ledgers were read, of how many where some were not, and how."""
    count, read = len(coverage.ledgers), coverage.read
    if not read:
        return words.say(f"nothing, for none of {counted(count, 'ledger')} was read", f"无，{count} 本台账均未能核查")
    en, zh = ("", "") if read == count else (f"{read} of ", f"中 {read} 本")
    how_en, how_zh = ("full pass", "全范围") if coverage.full else ("as answered", "以节点所答为限")
    return words.say(
        f"{en}{counted(count, 'ledger')}, {counted_entries(coverage.entries)} verified ({how_en})",
        f"{count} 本台账{zh}，共 {coverage.entries:,} 条已核验（{how_zh}）",
    )


def _witnessed(words: Words, ledgers: Sequence[LedgerCoverage]) -> Iterator[str]:
    """How far the ledgers that were shown are witnessed, and what is not."""
    quorate = [ledger for ledger in ledgers if ledger.witnessed is not None]
    if quorate:
        size = sum(ledger.size for ledger in quorate)
        lacking = [ledger for ledger in quorate if ledger.unwitnessed]
        witnessed = sum(min(ledger.size, ledger.witnessed or 0) for ledger in quorate)
        en = f"Witnessed by a quorum under this charter: {witnessed:,} of {counted_entries(size)}"
        zh = f"已由达到本章程门限的单位见证：{size:,} 条中 {witnessed:,} 条"
        pinned = [
            (words.bureau(ledger.bureau), ledger.witnessed, min(ledger.pinned, ledger.size) - 1)
            for ledger in quorate
            if ledger.witnessed is not None and ledger.witnessed < min(ledger.pinned, ledger.size)
        ]
        if pinned:
            en += "; pinned by the charter: " + ", ".join(
                f"{name} from #{first} to #{last}" for name, first, last in pinned
            )
            zh += "；由章程锁定：" + "、".join(f"{name} #{first} 至 #{last}" for name, first, last in pinned)
        for kept, said_en, said_zh in (
            (False, "unwitnessed, its own node's word alone", "未经见证、仅凭其节点"),
            (True, "not shown to be witnessed, by the copy's keeper alone", "未示已获见证、仅凭副本持有者"),
        ):
            those = [ledger for ledger in lacking if (ledger.keeper != "") is kept]
            if those:
                en += f"; {said_en}: " + ", ".join(
                    f"{words.bureau(ledger.bureau)} from #{ledger.size - ledger.unwitnessed} on" for ledger in those
                )
                zh += f"；{said_zh}：" + "、".join(
                    f"{words.bureau(ledger.bureau)}自 #{ledger.size - ledger.unwitnessed} 起" for ledger in those
                )
        yield words.say(f"{en}.", f"{zh}。")
    unknown = [ledger for ledger in ledgers if ledger.witnessed is None]
    unshown = [ledger for ledger in unknown if words.has_quorum(ledger.bureau)]
    for asked, said_en, said_zh in (
        (True, "neither its node nor a quorum of its witnesses says", "其节点及达到门限的见证单位均未应答"),
        (
            False,
            "no quorum of its witnesses says, and its node was not asked",
            "达到门限的见证单位未应答，其节点未予询问",
        ),
    ):
        if names := [words.bureau(ledger.bureau) for ledger in unshown if ledger.own_node_asked is asked]:
            yield words.say(
                f"Not shown now how far it is witnessed, since {said_en}: {', '.join(names)}.",
                f"此刻未示见证至何处，因{said_zh}：{'、'.join(names)}。",
            )
    if alone := [words.bureau(ledger.bureau) for ledger in unknown if not words.has_quorum(ledger.bureau)]:
        yield words.say(
            f"No quorum of witnesses under this charter, so that a rewrite is not covered: {', '.join(alone)}.",
            f"按本章程见证单位不足，其改写未覆盖：{'、'.join(alone)}。",
        )


def _compared(words: Words, coverage: Coverage) -> Iterator[str]:
    """How many other nodes each checkpoint was held against, and which nodes said nothing."""
    by_count: dict[int, list[str]] = {}
    for ledger in coverage.ledgers:
        if ledger.compared is not None:
            by_count.setdefault(ledger.compared, []).append(words.bureau(ledger.bureau))
    for count, names in sorted(by_count.items(), reverse=True):
        which = words.say(", ", "、").join(names)
        if len(by_count) == 1:
            which = words.say("each ledger", "各台账")
        yield words.say(
            f"Checkpoints compared with what {counted(count, 'other node holds', 'other nodes hold')}: {which}.",
            f"封账点已与其他 {count} 个节点所存相核对：{which}。",
        )
    if coverage.silent_nodes:
        silent = ", ".join(coverage.silent_nodes)
        yield words.say(
            f"Nodes that did not say what they hold: {silent}.",
            f"未答复所存封账点的节点：{'、'.join(map(words.bureau, coverage.silent_nodes))}。",
        )


def _ledger(words: Words, ledger: LedgerCoverage, full: bool) -> Iterator[str]:
    name = words.bureau(ledger.bureau)
    if ledger.away and ledger.checkpoint is not None:
        yield words.shown_by(ledger.bureau, ledger.keeper, ledger.size)
    if ledger.gap and full:
        yield words.say(
            f"Not covered: {name} from #{ledger.checked} on: {ledger.gap}.",
            f"未覆盖：{name} 自 #{ledger.checked} 起：{ledger.gap}。",
        )
    elif ledger.gap:
        yield words.say(
            f"Not covered: {name}, but for what is shown: {ledger.gap}.",
            f"未覆盖：{name}（已示条目除外）：{ledger.gap}。",
        )
    if ledger.forked:
        yield words.say(
            f"Not to be believed: {name}, whose key signed two histories; what it lacks accuses nobody.",
            f"不可采信：{name}，其密钥签署了两套账；其台账所缺不据以指控任何人。",
        )
    if ledger.later_charter:
        yield words.say(
            f"{name} goes by version {ledger.later_charter} of the charter, which this client does not know.",
            f"{name} 采用章程第 {ledger.later_charter} 版，本端未知该版。",
        )
    if ledger.later:
        yield words.say(
            f"Not judged: entries of {name} that its node's clock puts after that day: {ledger.later:,}.",
            f"未判断：据{name}节点时钟系截止日之后入账的条目：{ledger.later:,} 条。",
        )
    if ledger.not_understood:
        yield words.say(
            f"{counted_entries(ledger.not_understood)} of {name}"
            f" say{'s' if ledger.not_understood == 1 else ''} more than this version understands.",
            f"{name} 有 {ledger.not_understood} 条含本版本不识别的内容。",
        )
