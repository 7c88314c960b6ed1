"""The ratios leaders ask for: each is a part of a whole, bureau by bureau, and says what it counts in one line.

A ratio whose whole is 0 has no basis, and is neither 0% nor 100%; so is one whose deadline the rulebook does not set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.audit.obligations import OBLIGATIONS
from tallystick.audit.report.figures import NOTHING, Figure, Gathered, added, percent
from tallystick.audit.report.tables import Dealings, Sharing
from tallystick.audit.report.watched import Fate, Watched
from tallystick.audit.rulebook import Rulebook
from tallystick.audit.seen import Seen


@dataclass(frozen=True, slots=True)
class RatioName:
    """What a ratio is called, what it counts, and as its rest."""

    id: str
    en: str
    zh: str
    counts_en: str
    counts_zh: str
    part: tuple[str, str]
    rest: tuple[str, str]


CATALOGUED: Final = RatioName(
    "catalogued",
    "catalogued",
    "编目率",
    "of the resources a bureau provided or sent, those that anybody ever declared",
    "单位提供或发送过的信息资源中，已编入目录的占比",
    ("declared", "已编目"),
    ("never declared", "未编目"),
)
UNCONDITIONAL: Final = RatioName(
    "unconditional",
    "shared unconditionally",
    "无条件共享率",
    "of the resources declared now, those shared unconditionally",
    "现行目录中，列为无条件共享的占比",
    ("unconditional", "无条件共享"),
    ("other classes", "其他共享属性"),
)
CONDITIONAL: Final = RatioName(
    "conditional",
    "shared on conditions",
    "有条件占比",
    "of the resources declared now, those shared on conditions",
    "现行目录中，列为有条件共享的占比",
    ("conditional", "有条件共享"),
    ("other classes", "其他共享属性"),
)
ANSWERED: Final = RatioName(
    "answered-on-time",
    "requests answered on time",
    "按期答复率",
    "of the requests put to a bureau and answered or due, those answered on time",
    "向单位提出、已答复或已到期的共享申请中，按期答复的占比",
    ("on time", "按期"),
    ("late or overdue", "逾期"),
)
SETTLED: Final = RatioName(
    "concerns-settled",
    "concerns answered",
    "校核办结率",
    "of the concerns put to a bureau, those answered, late or not",
    "向单位提出的疑义中，已答复的占比（不论是否逾期）",
    ("answered", "已办结"),
    ("not answered", "未办结"),
)
UPDATED: Final = RatioName(
    "updated-on-time",
    "updated on time",
    "按期更新率",
    "of the updates a bureau promised by a cycle and provided or due, those provided on time",
    "按更新周期应更新、已更新或已到期的版本中，按期更新的占比",
    ("on time", "按期"),
    ("late or overdue", "逾期"),
)
RATIOS: Final = (CATALOGUED, UNCONDITIONAL, CONDITIONAL, ANSWERED, SETTLED, UPDATED)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A part of a whole and what is left of it; where `unset`, the rulebook sets no deadline to judge it by."""

    part: Figure = NOTHING
    rest: Figure = NOTHING
    unset: bool = False

    @property
    def whole(self) -> int:
        return self.part.count + self.rest.count

    @property
    def text(self) -> str:
        """The share to one decimal; "" where there is no basis."""
        return "" if self.unset else percent(self.part.count, self.whole)


def ratios(
    bureaus: Sequence[str], seen: Seen, watched: Watched, sharing: Sequence[Sharing], dealings: Sequence[Dealings]
) -> Mapping[str, Mapping[str, Ratio]]:
    """Every ratio by its id, then by bureau; under "" that of all bureaus together."""
    shared = {each.bureau: each for each in sharing}
    dealt = {(each.bureau, each.rule): each for each in dealings}

    def of(name: RatioName, bureau: str) -> Ratio:
        if name is CATALOGUED:
            return _catalogued(bureau, seen, watched)
        if name in (UNCONDITIONAL, CONDITIONAL):
            return _classed(shared.get(bureau), name)
        rule, timely = _OWED[name.id]
        return _owed(dealt.get((bureau, rule)), timely, timely and not has_deadline(rule, seen.rulebook))

    by_name = {name.id: {bureau: of(name, bureau) for bureau in bureaus} for name in RATIOS}
    return {id_: {"": _together(each.values())} | each for id_, each in by_name.items()}


_OWED: Final = {
    ANSWERED.id: ("request-overdue", True),
    SETTLED.id: ("dispute-overdue", False),
    UPDATED.id: ("stale-resource", True),
}


def has_deadline(rule: str, rulebook: Rulebook) -> bool:
    """Whether anything can be late under an obligation: its deadline is set, or what is owed says it itself."""
    within = next(each.within for each in OBLIGATIONS if each.rule == rule)
    return within is None or within in rulebook.deadlines


def _catalogued(bureau: str, seen: Seen, watched: Watched) -> Ratio:
    declared, undeclared = Gathered(), Gathered()
    for (provider, code), reference in watched.in_use.items():
        if provider == bureau:
            (declared if seen.catalogue.was_declared(code) else undeclared).add(reference)
    all_by = f"tally log {bureau} --kind VersionProvided -n 0"
    return Ratio(declared.figure(all_by), undeclared.figure(all_by))


def _classed(sharing: Sharing | None, name: RatioName) -> Ratio:
    if sharing is None:
        return Ratio()
    classes = sharing.classes
    part = classes[name.id]
    return Ratio(part, added((each for id_, each in classes.items() if id_ != name.id), part.all_by))


def _owed(dealings: Dealings | None, timely: bool, unset: bool) -> Ratio:
    if dealings is None:
        return Ratio(unset=unset)
    on_time, open_, late, overdue = (dealings.fates[fate] for fate in Fate)
    part, rest = ([on_time], [late, overdue]) if timely else ([on_time, late], [open_, overdue])
    return Ratio(added(part, on_time.all_by), added(rest, late.all_by), unset)


def _together(each: Iterable[Ratio]) -> Ratio:
    parts = list(each)
    return Ratio(
        added((ratio.part for ratio in parts), ""),
        added((ratio.rest for ratio in parts), ""),
        any(ratio.unset for ratio in parts),
    )
