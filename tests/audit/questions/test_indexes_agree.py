"""Where every entry names what it is about, honest indexes answer a question as a full pass does."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.audit.entry import On
from tallystick.audit.inquiry import Inquiry
from tallystick.audit.questions.access import access, access_json
from tallystick.audit.questions.access import inquire as inquire_access
from tallystick.audit.questions.impact import impact, impact_json
from tallystick.audit.questions.impact import inquire as inquire_impact
from tallystick.audit.questions.trace import inquire as inquire_trace
from tallystick.audit.questions.trace import trace, trace_json
from tallystick.audit.questions.who import Named, who, who_json
from tallystick.audit.questions.who import inquire as inquire_who
from tallystick.audit.seen import Seen
from tallystick.core.charter import Charter
from tests.harness.district import District
from tests.harness.lawful import END, World
from tests.harness.stories_of_office import STORIES

Asking = Callable[[str, Charter], Inquiry]
Telling = Callable[[str, Seen], dict[str, Any]]
QUESTIONS: dict[str, tuple[str, Asking, Telling]] = {
    "who-resource": ("resource", lambda name, _: inquire_who(Named.parse(name)), lambda name, seen: _who(name, seen)),
    "who-matter": ("matter", lambda name, _: inquire_who(Named.parse(name)), lambda name, seen: _who(name, seen)),
    "who-system": ("system", lambda name, _: inquire_who(Named.parse(name)), lambda name, seen: _who(name, seen)),
    "access": ("resource", inquire_access, lambda name, seen: access_json(access(name, seen), seen)),
    "trace": ("version", inquire_trace, lambda name, seen: trace_json(trace(name, seen), seen)),
    "impact": ("version", inquire_impact, lambda name, seen: impact_json(name, impact(name, seen), seen)),
}


def _who(name: str, seen: Seen) -> dict[str, Any]:
    named = Named.parse(name)
    return who_json(named, who(named, seen), seen)


def names(district: District, field: str) -> list[str]:
    """Everything that any entry names in that field of its head."""
    entries = (entry for desk in district.desks.values() for entry in desk.on_entries() if isinstance(entry, On))
    return sorted({getattr(entry.head, field) for entry in entries} - {""})


@pytest.mark.parametrize("question", QUESTIONS)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_an_index_answers_as_a_full_pass(question: str, seed: int) -> None:
    """Of whatever is named in a history of many stories."""
    field, inquire, tell = QUESTIONS[question]
    district = World(Random(seed), bureaus=4).play(STORIES)
    whole = district.look(END)[1]
    for name in names(district, field):
        seen, coverage = district.ask(inquire(name, district.charter), END)
        assert not coverage.full
        assert tell(name, seen) == tell(name, whole)
