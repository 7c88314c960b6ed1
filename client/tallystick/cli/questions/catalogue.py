"""Ask: `tally catalogue`, what is declared and how it is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command, read_from
from tallystick.cli.questions.asking import end, from_full_pass, on_day
from tallystick.cli.references import BureauId
from tallystick.core.counted import counted

if TYPE_CHECKING:
    from tallystick.audit.questions.catalogue import Resource
    from tallystick.audit.views.catalogue import Version


@click.command()
@click.argument("bureau", required=False, type=BureauId())
@click.option(
    "--sharing", type=click.Choice(["unconditional", "conditional", "withheld"]), help="Only this sharing class."
)
@on_day
@read_from
@command
def catalogue(session: Session, bureau: str | None, sharing: str | None, on: str | None) -> int:
    """List what bureaus declare: the sharing class of each resource, the ground it states, and its latest version.

    With BUREAU, only what that one declares. Each line is its bureau's signed word, at the entry shown. Every ledger is
    read whole: that a bureau declares nothing else, or withdrew nothing, holds within the coverage.

    \b
    Examples:
      tally catalogue --lang zh
      tally catalogue planning --sharing withheld
    """
    from tallystick.audit.questions.catalogue import catalogue_json, resources, sharing_name
    from tallystick.cli.describe import Describer

    with session.ledgers() as ledgers:
        if bureau:
            ledgers.charter.ledger_of(bureau)
        audited = from_full_pass(session, ledgers, on)
    found = resources(audited.seen, bureau or "", sharing or "")
    output, say = session.output, session.output.say
    if not output.json:
        describe = Describer(audited.seen.charter, session.language, session.zone)
        output.table(
            (
                say("bureau", "单位"),
                say("resource", "信息资源"),
                say("title", "名称"),
                say("sharing", "共享属性"),
                say("ground", "依据或条件"),
                say("latest version", "最新版本"),
                say("entry", "条目"),
            ),
            [
                [
                    describe.bureau(each.entry.bureau),
                    each.code,
                    each.entry.said.title,
                    sharing_name(each.entry, session.language)
                    + (say(", public", "、开放") if each.entry.said.public else ""),
                    _ground(session, each),
                    _version(session, each.latest),
                    each.entry.reference,
                ]
                for each in found
            ],
        )
        _print_counts(session, found)
    return end(session, audited, catalogue_json(found))


def _ground(session: Session, resource: Resource) -> str:
    """A ground that must be stated and is not is said; a resource shared with everybody needs none."""
    from tallystick.audit.questions.catalogue import sharing_name

    open_to_all = sharing_name(resource.entry) == "unconditional"
    return resource.ground or ("" if open_to_all else session.output.say("none stated", "未列"))


def _version(session: Session, latest: Version | None) -> str:
    if latest is None:
        return ""
    recalled = latest.recalled
    say = session.output.say
    return latest.name + (
        "" if recalled is None else say(f", recalled {recalled.reference}", f"，已撤回 {recalled.reference}")
    )


def _print_counts(session: Session, found: list[Resource]) -> None:
    from tallystick.audit.questions.catalogue import SHARING, shared
    from tallystick.core.kinds import enum_label

    output, say = session.output, session.output.say
    if not found:
        output.line(say("Nothing is declared within the coverage.", "核查范围内无编目。"))
        return
    counts, count = shared(found), len(found)
    shares = [
        f"{enum_label(SHARING, number, session.language)} {counts[number]} ({counts[number] / count:.0%})"
        for number in sorted(counts)
    ]
    output.line()
    output.line(
        say(
            f"{counted(count, 'resource')}: {', '.join(shares)}. Each is its bureau's signed word.",
            f"{count} 项信息资源：{'，'.join(shares)}。各行均为编目单位签署之言。",
        )
    )
