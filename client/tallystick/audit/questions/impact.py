"""Whom a version reached, itself or in what was made from it, and what each did about its recall.

    {"version": "SCJG-0012@2027-03", "cut": false, "versions": [{"version", "derived": false, "bureau":
     "market-regulation" or null, "provided": "market-regulation#7" or null, "recalled": "market-regulation#12" or null,
     "recalled_at": "…Z" or null, "reason": "…",
     "holders": [{"bureau": "taxation", "exchanges": [… as in `questions.holders`], "acknowledged": "taxation#40" or
      null, "action": "stopped" or null, "last_use": "taxation#41" or null, "uses_after": 2,
      "first_after": "taxation#41" or null}]}]}

The version itself comes first, then what was made from it, the nearest first; `cut` where that may go on beyond the
depth of a trace. A holder was *served* a recall when that was recorded: an index tells of no cosignatures.
`uses_after` counts uses that both happened and were recorded after the recall of that very version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tallystick.audit.entry import On
from tallystick.audit.inquiry import Find, Inquiry, answers_to
from tallystick.audit.questions.entries import reference_json
from tallystick.audit.questions.holders import Holder, Holders, exchange_json
from tallystick.audit.questions.trace import DEPTH_MAX, downstream
from tallystick.audit.seen import Seen
from tallystick.audit.views.catalogue import Version
from tallystick.core.charter import Charter
from tallystick.core.kinds import enum_label
from tallystick.core.moments import moment_json
from tallystick_proto.v1.statement_pb2 import DataUsed, NoticeAcknowledged, VersionRecalled


@dataclass(frozen=True, slots=True)
class Reached:
    """A version, whether it was made from the one that was asked about, its recall if any, and who holds it."""

    name: str
    derived: bool
    version: Version | None
    recall: On[VersionRecalled] | None
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """Everything a version reached; `cut` where more may have been made from the last of it."""

    versions: tuple[Reached, ...]
    cut: bool

    @property
    def is_known(self) -> bool:
        """Whether anything was shown of the version that was asked about."""
        first = self.versions[0]
        return bool(first.version or first.recall or first.holders or len(self.versions) > 1)


def inquire(version: str, charter: Charter) -> Inquiry:
    """The version and everything made from it, who holds any of that, the answers to recalls, and uses after those."""
    for name in (yield from downstream(version, charter)):
        recalls = yield Find.of(VersionRecalled, version=name)
        for recall in recalls:
            yield answers_to(recall, NoticeAcknowledged)
        if recalls:
            yield Find.of(DataUsed, version=name).since(min(recall.since_us for recall in recalls))


def impact(version: str, seen: Seen) -> Impact:
    """What the version reached, as far as was shown."""
    told, names, found, held = {version}, [version], [], Holders(seen)
    for depth in range(DEPTH_MAX + 1):
        following = []
        for name in names:
            recall = seen.holdings.recalled.get(name)
            found.append(Reached(name, depth > 0, seen.catalogue.versions.get(name), recall, held.of(name)))
            following += [made for made in seen.catalogue.derived.get(name, ()) if made not in told]
            told.update(following)
        names = list(dict.fromkeys(following))
    return Impact(tuple(found), bool(names))


def action(holder: Holder, language: str) -> str:
    """What a holder said it did about a recall; "" where nothing was shown."""
    heeded = None if holder.holding is None else holder.holding.heeded
    return "" if heeded is None else enum_label(NoticeAcknowledged.Action.DESCRIPTOR, heeded.said.action, language)


def impact_json(version: str, answer: Impact, seen: Seen) -> dict[str, Any]:
    """The answer for programs."""
    return {"version": version, "cut": answer.cut, "versions": [_reached_json(each, seen) for each in answer.versions]}


def _reached_json(reached: Reached, seen: Seen) -> dict[str, Any]:
    version, recall = reached.version, reached.recall
    return {
        "version": reached.name,
        "derived": reached.derived,
        "bureau": None if version is None else version.bureau,
        "provided": None if version is None else version.reference,
        "recalled": reference_json(recall),
        "recalled_at": None if recall is None else moment_json(recall.since_us),
        "reason": "" if recall is None else recall.said.reason,
        "holders": [_holder_json(holder, seen) for holder in reached.holders],
    }


def _holder_json(holder: Holder, seen: Seen) -> dict[str, Any]:
    holding = holder.holding
    return {
        "bureau": holder.bureau,
        "exchanges": [exchange_json(each, seen) for each in holder.exchanges],
        "acknowledged": None if holding is None else reference_json(holding.heeded),
        "action": action(holder, "en").replace(" ", "_") or None,
        "last_use": holding.last_use or None if holding is not None else None,
        "uses_after": 0 if holding is None else holding.uses_after,
        "first_after": None if holding is None else reference_json(holding.first_after),
    }
