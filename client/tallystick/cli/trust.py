"""Trust: `tally charter show`, what everything else is believed by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.charter_text import quorum_text, unwitnessed_text
from tallystick.cli.options import Session, command, shared_options

if TYPE_CHECKING:
    from tallystick.core.charter import Bureau, Charter


@click.group()
@shared_options
def charter() -> None:
    """The charter: the signed roster and rulebook, and the only root of trust."""


@charter.command(short_help="Show the profile's charter.")
@command
def show(session: Session) -> None:
    """Show the profile's charter: its digest, whose keys sign what, and where their nodes are.

    Nothing is asked of any node. Compare the digest with one you were given by a hand you trust.

    \b
    Example:
      tally charter show --profile profiles/auditor.toml
    """
    from tallystick.sdk.clock import now_us

    profile = session.profile
    found = profile.charter
    output = session.output
    say = output.say
    expired = found.expired(now_us())
    verified = say(
        "The charter has the digest this profile trusts, and the signatures its threshold asks for.",
        "章程与本配置所信任的摘要一致，签名数达到门限。",
    )
    if output.json:
        output.document(
            {
                "name": found.name,
                "version": found.version,
                "digest": profile.charter_digest,
                "previous": found.previous or None,
                "issued": found.issued.isoformat(),
                "expires": found.expires.isoformat(),
                "expired": expired,
                "threshold": found.threshold,
                "charter_keys": list(found.charter_keys),
                "freshness_s": found.witnessing.freshness_s,
                "bureaus": [_bureau_json(found, bureau) for bureau in found.bureau],
                "auditors": [{"id": auditor.id, "key": auditor.key} for auditor in found.auditor],
                "rules": sorted(found.rulebook),
                "verified": verified,
            }
        )
        return
    expiry = f"{found.expires:%Y-%m-%d %H:%M %z}" + (say("  EXPIRED", "  已过期") if expired else "")
    output.facts(
        [
            (say("charter", "章程"), found.name),
            (say("version", "版本"), str(found.version)),
            (say("digest", "摘要"), profile.charter_digest),
            (say("issued", "颁布"), f"{found.issued:%Y-%m-%d %H:%M %z}"),
            (say("expires", "失效"), expiry),
            (
                say("threshold", "门限"),
                say(
                    f"{found.threshold} of {len(found.charter_keys)} keys",
                    f"{len(found.charter_keys)} 钥取 {found.threshold}",
                ),
            ),
            (say("charter keys", "章程公钥"), list(found.charter_keys)),
            (say("auditors", "审计方"), [f"{auditor.id}  {auditor.key}" for auditor in found.auditor] or ["-"]),
        ]
    )
    for bureau in found.bureau:
        output.line()
        output.facts([*_bureau_facts(session, bureau), *_witnessing_facts(session, bureau)])
    output.line()
    output.line(verified)


def _bureau_json(charter: Charter, bureau: Bureau) -> dict[str, Any]:
    quorum = charter.quorum_of(bureau)
    return {
        "id": bureau.id,
        "name": {"zh": bureau.name.zh, "en": bureau.name.en, "short": bureau.name.short or None},
        "credit_code": bureau.credit_code,
        "origin": bureau.origin,
        "endpoint": bureau.endpoint,
        "state": bureau.state,
        "successor": bureau.successor or None,
        "observer": bureau.is_observer,
        "ledger_key": bureau.ledger_key or None,
        "witness_key": bureau.witness_key,
        "registrar_key": bureau.registrar_key or None,
        "witnesses": [witness.id for witness in charter.witnesses_of(bureau)],
        "quorum": None
        if quorum is None
        else {
            "needed": quorum.needed,
            "of": quorum.witnesses,
            "colluders_survived": quorum.colluders_survived,
            "absent_survived": quorum.absent_survived,
        },
        "witnesses_of": [ledger.id for ledger in charter.witnessed_by(bureau)],
        "floor": None if bureau.floor is None else {"size": bureau.floor.size, "root": bureau.floor.root},
        "retired": [{"key": each.key, "size": each.size} for each in bureau.retired],
    }


def _bureau_facts(session: Session, bureau: Bureau) -> list[tuple[str, str | list[str]]]:
    say = session.output.say
    facts: list[tuple[str, str | list[str]]] = [
        (say("bureau", "单位"), f"{bureau.id}  {bureau.name.zh}  {bureau.name.en}"),
        (say("credit code", "统一社会信用代码"), bureau.credit_code),
        (
            say("ledger", "台账"),
            say("none, it is an observer", "无，为观察者") if bureau.is_observer else bureau.origin,
        ),
        (say("endpoint", "地址"), bureau.endpoint),
        (say("state", "状态"), bureau.state_in(session.language)),
    ]
    for label, key in (
        (say("ledger key", "台账公钥"), bureau.ledger_key),
        (say("witness key", "见证公钥"), bureau.witness_key),
        (say("registrar key", "登记员公钥"), bureau.registrar_key),
    ):
        if key:
            facts.append((label, key))
    if bureau.floor is not None:
        facts.append((say("floor", "底线"), f"{bureau.floor.size}  {bureau.floor.root}"))
    if bureau.retired:
        facts.append((say("retired keys", "停用公钥"), [f"{each.size}  {each.key}" for each in bureau.retired]))
    return facts


def _witnessing_facts(session: Session, bureau: Bureau) -> list[tuple[str, str | list[str]]]:
    """Who witnesses a ledger, how many of them are enough, and what that survives."""
    say = session.output.say
    charter = session.profile.charter
    if bureau.is_observer:
        return [(say("witnesses of", "见证对象"), _counted_for(session, bureau))]
    quorum = charter.quorum_of(bureau)
    if quorum is None:
        return [(say("witnesses", "见证"), unwitnessed_text(session, charter, bureau))]
    witnesses = charter.witnesses_of(bureau)
    named = [witness.label("zh") if session.language == "zh" else witness.id for witness in witnesses]
    survives = say(
        f"{quorum.needed} of {quorum.witnesses}: with {quorum.colluders_survived} colluding no two histories are "
        f"both witnessed, with {quorum.absent_survived} away nothing stays unwitnessed",
        f"{quorum.witnesses} 家取 {quorum.needed}：{quorum.colluders_survived} 家串通，两套账不能同获见证；"
        f"{quorum.absent_survived} 家缺席，见证不致中断",
    )
    return [
        (say("witnesses", "见证"), "、".join(named) if session.language == "zh" else ", ".join(named)),
        (say("quorum", "见证门限"), survives),
    ]


def _counted_for(session: Session, observer: Bureau) -> str | list[str]:
    """The ledgers to whose quorum an observer's cosignature counts, a line each, and to which quorum."""
    say, charter = session.output.say, session.profile.charter
    lines = []
    for ledger in charter.witnessed_by(observer):
        quorum = charter.quorum_of(ledger)
        assert quorum is not None
        name = ledger.label("zh") if session.language == "zh" else ledger.id
        among = quorum_text(session, quorum)
        lines.append(say(f"{name}, one of those whose quorum is {among}", f"{name}，计入 {among} 之门限"))
    return lines or say("none; what it cosigns counts to no quorum", "无；其副署不计入任何门限")
