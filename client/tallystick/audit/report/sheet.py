"""What every page is: one document that fetches nothing and runs nothing, with coverage on top and a foot that says how
it was made."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.covered import covered
from tallystick.audit.report.markup import Html, h, join, table
from tallystick.audit.report.model import Report
from tallystick.audit.report.style import STYLE
from tallystick.audit.words import Words

# Nothing is loaded, run, sent or embedded, whatever a browser is told by what stands in the page.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def document(title: str, words: Words, *body: str) -> str:
    """A whole page."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="referrer", content="no-referrer"),
        h("title", title),
        h("style", Html(STYLE)),
    )
    whole = h("html", head, h("body", join(body, Html("\n"))), lang=words.say("en", "zh-CN"))
    return f"<!DOCTYPE html>\n{whole}\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page under a title, which a table of contents can lead to."""

    id: str
    title: str
    body: Html

    @property
    def html(self) -> Html:
        return h("section", h("h2", self.title), self.body, id=self.id)


def section(id_: str, title: str, *body: str) -> Part:
    """A part of a page."""
    return Part(id_, title, join(body))


def caption(said: str) -> Html:
    """What the figures that follow count, in one plain line."""
    return h("p", said, class_="caption")


def in_one_sentence(coverage: Coverage, words: Words) -> Html:
    """The coverage as a cover says it, and how many ledgers it does not reach the end of."""
    first = next(covered(words, coverage))
    lacking = [ledger.bureau for ledger in coverage.ledgers if not ledger.complete]
    said = [h("p", first, class_="said")]
    if lacking:
        names = words.say(", ", "、").join(map(words.bureau, lacking))
        said.append(
            h(
                "p",
                words.say(
                    f"Not covered, or not to the end: {names}. Of absence there, nothing is said.",
                    f"未覆盖或未读至末条：{names}。其中有无缺失，本报告不作判断。",
                ),
                class_="said gap",
            )
        )
    return join(said)


def coverage_part(report: Report, words: Words) -> Part:
    """Ledger by ledger what was read, then every sentence on what is not covered."""
    say, coverage = words.say, report.coverage
    header = say(
        "ledger;entries read;of;witnessed;shown by;complete", "台账;已核验条数;应有条数;已获见证;出示方;是否完整"
    ).split(";")
    closed = {closing.bureau for closing in coverage.closings}
    rows = [
        (
            words.bureau(ledger.bureau) + (say(", closed", "（已关闭）") if ledger.bureau in closed else ""),
            f"{ledger.checked:,}",
            say("no checkpoint", "无封账点") if ledger.checkpoint is None else h("a", f"{ledger.size:,}", href="#made"),
            _witnessed(ledger, words),
            _shown_by(ledger, words),
            say("yes", "是") if ledger.complete else h("b", say("no", "否"), class_="serious"),
        )
        for ledger in coverage.ledgers
    ]
    sentences = list(covered(words, coverage))[1:]
    return section(
        "coverage",
        say("Coverage", "核查范围"),
        caption(
            say(
                "Entries whose place, author and chain were verified, of those that the ledger's node signed for.",
                "已逐条核验位置、签署与链条的条数，及台账节点所签封账点的应有条数。",
            )
        ),
        table(header, rows, numbers=(1, 2, 3)),
        h("ul", *(h("li", sentence) for sentence in sentences)) if sentences else "",
    )


def foot(report: Report, words: Words) -> Part:
    """How the page was made, so that it can be made again: command, software, charter, day, checkpoints."""
    title = words.say("How this was made", "生成依据")
    return section("made", title, *_made(report, words), _checkpoints(report.coverage, words))


def _made(report: Report, words: Words) -> Iterator[Html]:
    say, coverage, imprint = words.say, report.coverage, report.imprint
    facts = [
        (say("command", "命令"), h("code", imprint.command)),
        (say("software", "软件"), f"tallystick {imprint.software}"),
        (
            say("charter", "章程"),
            say(f"{coverage.charter}, version {coverage.version}", f"{coverage.charter} 第 {coverage.version} 版"),
        ),
        (say("its digest", "章程摘要"), h("code", coverage.digest)),
        (say("judged as of", "截止日"), f"{words.day(coverage.day)}, {report.seen.rulebook.time_zone}"),
    ]
    if imprint.since:
        facts.append((say("earlier audit", "前次审计"), h("code", imprint.since)))
    yield h("dl", *(part for label, said in facts for part in (h("dt", label), h("dd", said))), class_="facts")
    yield caption(
        say(
            "The same charter, coverage (the table below) and day give this page again, byte for byte.",
            "章程、核查范围（见下表）与截止日相同，则生成的页面逐字节相同。",
        )
    )


def _checkpoints(coverage: Coverage, words: Words) -> Html:
    header = words.say(
        "ledger;entries;root of the checkpoint;witnessed;shown by", "台账;条数;封账点树根;已获见证;出示方"
    ).split(";")
    return table(
        header,
        (
            (
                h("code", ledger.origin),
                f"{ledger.size:,}",
                h("code", b64encode(ledger.checkpoint.root).decode() if ledger.checkpoint is not None else "–"),
                _witnessed(ledger, words),
                _shown_by(ledger, words),
            )
            for ledger in coverage.ledgers
        ),
        numbers=(1, 3),
    )


def _witnessed(ledger: LedgerCoverage, words: Words) -> str:
    """Up to which size it is witnessed; a dash where nothing was shown of it, or the charter gives it no quorum."""
    if ledger.witnessed is not None:
        return f"{min(ledger.witnessed, ledger.size):,}"
    if ledger.checkpoint is None or not words.has_quorum(ledger.bureau):
        return "–"
    return words.say("not shown now", "此刻未示")


def _shown_by(ledger: LedgerCoverage, words: Words) -> str:
    if ledger.checkpoint is None:
        return "–"
    if ledger.keeper:
        return words.say(f"the copy of {words.bureau(ledger.keeper)}", f"{words.bureau(ledger.keeper)}所存副本")
    return words.say("its own node", "本单位节点")
