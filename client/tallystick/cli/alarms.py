"""What a round of gossip brought that somebody should look at, a sentence each, and how far each is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallystick.cli.options import Session
from tallystick.core.counted import counted_entries

if TYPE_CHECKING:
    from tallystick.sdk.charter_news import CharterNews
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
                f"suspicion: nobody shows how a checkpoint of {counted_entries(each.size)} of {each.bureau} joins "
                f"what this client trusts; it is kept in {each.path}",
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
    found += _charter_alarms(session, heard.charters)
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


def _charter_alarms(session: Session, news: CharterNews) -> list[dict[str, Any]]:
    """Versions of the charter other than the one this client goes by."""
    say, name, versions = session.output.say, _Names(session), news.versions
    found = []
    for fork in news.forks:
        place = versions.place(fork)
        sentence = say(
            f"PROVEN: {fork.sentence}; the second is {place}",
            f"已证实：章程公钥持有者签署了两个第 {fork.number} 版：{fork.known.digest} 与 {fork.other.digest}，"
            f"后者存于 {place}",
        )
        if fork.number >= versions.current.number:
            sentence += say(
                "; until a version after them is adopted, other commands neither read nor record",
                "；采用其后一版之前，其他命令不再读取或记录",
            )
        found.append(_alarm("charter-fork", None, sentence, str(place)))
    for version in news.later:
        place = versions.place(version)
        sentence = say(
            f"version {version.number} of the charter is there, signed as it must be; `tally charter adopt {place}` "
            "takes it up",
            f"章程已有第 {version.number} 版，签名齐备；以 `tally charter adopt {place}` 采用",
        )
        found.append(_alarm("charter-later", None, sentence, str(place)))
    own = versions.current.number
    for bureau, (number, digest) in sorted(news.goes_by.items()):
        sentence = say(
            f"{bureau}'s node says it goes by version {number} of the charter, {digest}; this client goes by {own}",
            f"{name(bureau)}节点称其现行章程为第 {number} 版，{digest}；本机现行第 {own} 版",
        )
        found.append(_alarm("charter-version", bureau, sentence))
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
