"""What an answer takes over from what it answers, for every kind there is."""

from __future__ import annotations

from typing import cast

import pytest

from tallystick.core.compose import compose
from tallystick.core.entry import Entry
from tallystick.core.kinds import BY_NAME, KINDS, Kind
from tallystick.core.statement import Read
from tallystick.sdk.citing import carry
from tallystick.sdk.reader import Shown
from tests.harness.any_statement import most

ANSWERS = [kind for kind in KINDS.values() if any(use.field.name == "about" for use in kind.head_uses)]


def shown(kind: Kind, bureau: str = "taxation", **values: object) -> Shown:
    """An entry of a kind on a bureau's ledger; nothing looks at its bytes here."""
    statement = compose(kind.name, f"{bureau}:clerk", values).statement
    return Shown(bureau, f"pudong.example/{bureau}", cast(Entry, None), Read(statement, kind, True))


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("cited", KINDS.values(), ids=lambda kind: kind.name)
def test_what_is_carried_fits_its_kind_and_replaces_nothing(kind: Kind, cited: Kind) -> None:
    """Whatever is cited: every value carried composes, what was given stays, and no absence is papered over."""
    entry = shown(cited, "taxation", **most(cited))
    carried = carry(kind, entry, {}, own="planning")
    compose(kind.name, "planning:clerk", carried)
    for name in carried:
        use = kind.use(name)
        assert use is not None
        assert use.in_head
        assert not use.absent
    given: dict[str, object] = dict.fromkeys(carried, "given")
    assert carry(kind, entry, given, own="planning") == given
    assert carry(kind, entry, dict.fromkeys(carried), own="planning") == dict.fromkeys(carried)


def test_the_other_bureau_is_whose_ledger_it_stands_on_or_whom_ones_own_entry_names() -> None:
    """A request is granted to who asked; a grant of one's own ends with whom it was given to; never with oneself."""
    asked = shown(BY_NAME["AccessRequested"], resource="A", provider="planning", purpose="p")
    assert carry(BY_NAME["AccessGranted"], asked, {}, own="planning")["to"] == "taxation"
    own = shown(BY_NAME["AccessGranted"], "planning", to="taxation", resource="A")
    assert carry(BY_NAME["AccessEnded"], own, {}, own="planning")["with_bureau"] == "taxation"
    to_oneself = shown(BY_NAME["DutyAssigned"], "planning", holder="planning", duty="chief")
    assert "to" not in carry(BY_NAME["DutyAnswered"], to_oneself, {}, own="planning")


def test_a_version_brings_its_resource_only_where_it_cannot_be_said() -> None:
    """A version is an index term of its resource too; an answer that names no version names the resource."""
    recalled = shown(BY_NAME["VersionRecalled"], version="A@1", reason="r")
    assert carry(BY_NAME["NoticeAcknowledged"], recalled, {}, own="planning") == {"version": "A@1", "to": "taxation"}
    assert carry(BY_NAME["ConcernAnswered"], recalled, {}, own="planning") == {"resource": "A", "to": "taxation"}


def test_a_use_does_not_take_the_case_of_its_grant() -> None:
    """The absence of a case is a finding: only who used the data can say which it was."""
    granted = shown(BY_NAME["AccessGranted"], to="planning", resource="A", case="C")
    assert "case" not in carry(BY_NAME["DataUsed"], granted, {}, own="planning")
    assert "case" in carry(BY_NAME["DataSent"], granted, {}, own="taxation")
