"""What a round of gossip brought that somebody should look at, a sentence each, and how far each is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallystick.cli.options import Session

if TYPE_CHECKING:
    from tallystick.sdk.gossip import Heard

_MINUTE_US = 60_000_000


def alarms(session: Session, heard: Heard) -> list[dict[str, Any]]:
    """Each with its kind, the bureau it is about, its sentence, and the file that shows it, if there is one."""
    from tallystick.core.clocks import CLOCK_OFF_MAX_US, off_us

    say, name = session.output.say, _Names(session)
    found = [
        _alarm(
            "equivocation",
            bureau,
            say(
                f"PROVEN: the key of {bureau} signed two different histories; the evidence is {path}",
                f"已证实：{name(bureau)}的密钥签署了两套账，证据见 {path}",
            ),
            str(path),
        )
        for bureau, path in heard.evidence.items()
    ]
    found += [
        _alarm(
            "unreconciled",
            each.bureau,
            say(
                f"suspicion: nobody shows how a checkpoint of {each.size} entries of {each.bureau} joins what this "
                f"client trusts; it is kept in {each.path}",
                f"待核对：{name(each.bureau)}一处 {each.size} 条的封账点，无人证明其承接此前已核对的账目，"
                f"存于 {each.path}",
            ),
            str(each.path),
        )
        for each in heard.suspicions
    ]
    found += [
        _alarm(
            "not-cosigned",
            ledger,
            say(
                f"{witness} says it cosigns {ledger} no more: {why}",
                f"{name(witness)}称不再副署{name(ledger)}：{why}",
            ),
        )
        for (witness, ledger), why in sorted(heard.not_cosigned.items())
    ]
    answered = [each for each in heard.asked if each.error is None]
    off = off_us(each.ahead_us for each in answered)
    if abs(off) > CLOCK_OFF_MAX_US:
        found.append(
            _alarm(
                "clock",
                None,
                say(
                    f"this machine's clock is {-off // _MINUTE_US} min ahead of the nodes'",
                    f"本机时钟比各节点快 {-off // _MINUTE_US} 分钟",
                ),
            )
        )
    found += [
        _alarm(
            "clock",
            each.node.id,
            say(
                f"the clock of {each.node.id}'s node is {(each.ahead_us - off) // _MINUTE_US} min ahead of the others",
                f"{name(each.node.id)}节点的时钟比其他节点快 {(each.ahead_us - off) // _MINUTE_US} 分钟",
            ),
        )
        for each in answered
        if abs(each.ahead_us - off) > CLOCK_OFF_MAX_US
    ]
    return found


def print_alarms(session: Session, found: list[dict[str, Any]]) -> None:
    """The sentences, where there are any."""
    for alarm in found:
        session.output.line(alarm["sentence"])
    if found:
        session.output.line()


def _alarm(kind: str, bureau: str | None, sentence: str, file: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "bureau": bureau, "sentence": sentence, "file": file}


class _Names:
    """What bureaus are called in Chinese."""

    def __init__(self, session: Session) -> None:
        self._charter = session.profile.charter

    def __call__(self, bureau: str) -> str:
        return self._charter.by_id(bureau).label("zh")
