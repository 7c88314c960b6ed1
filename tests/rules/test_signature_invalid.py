"""`signature-invalid`: a submission, under a checkpoint the ledger's key signed, that its author did not sign so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.ledger_maker import LedgerMaker, chain, key_of
from tests.harness.shown import Shown, judged, ledger


def changed(maker: LedgerMaker) -> list[bytes]:
    """The node says something else in the clerk's name at #6, and chains everything anew."""
    made = list(maker.made)
    made[6] = replace(made[6], statement=maker.declare("R-9"))
    return chain(maker.origin, made)


def test_it_trips_alone_and_says_so() -> None:
    """The bureau whose key signed for the ledger answers for it, not the author whose signature does not verify."""
    maker = ledger()
    audit = judged(Shown(maker, changed(maker)), ledger("tax"))
    assert (audit.only.rule, audit.only.bureau) == ("signature-invalid", "market")
    assert audit.only.references == ("market#6",)
    assert (audit.only.standing, audit.only.severity) == (Standing.PROVEN, Severity.WARNING)
    said = str(audit.only.facts["error"])
    assert audit.sentence("en") == (
        f"the ledger of market holds a submission that its author did not sign so: {said} (proven)"
    )
    assert audit.sentence("zh") == f"市场监管局 的台账中有签名无效的提交，核验信息：“{said}”（已证明）"
    assert "does not verify" in said
    assert (audit.covers("market").checked, audit.covers("tax").complete) == (6, True)


def unregistered(maker: LedgerMaker) -> None:
    maker.record([maker.declare("R-9")], key=key_of("stranger"))


def borrowed(maker: LedgerMaker) -> None:
    maker.record([maker.declare("R-9")], key=maker.keys["gateway"])


def revoked_before(maker: LedgerMaker) -> None:
    maker.record([maker.revokes("clerk")], "registrar")
    maker.record([maker.declare("R-9")])


def beyond_its_role(maker: LedgerMaker) -> None:
    maker.record([maker.say("adopt_charter", version=2, digest=bytes(32))])


@pytest.mark.parametrize(
    ("say", "reference"),
    [
        (unregistered, "market#10"),
        (borrowed, "market#10"),
        (revoked_before, "market#11"),
        (beyond_its_role, "market#10"),
    ],
)
def test_a_key_that_might_not_sign_there_is_found(say: Callable[[LedgerMaker], None], reference: str) -> None:
    """A signature that verifies, by a key unknown, another's, revoked, or not allowed to say so."""
    maker = ledger()
    say(maker)
    assert (judged(maker).only.rule, judged(maker).only.references) == ("signature-invalid", (reference,))


def test_a_submission_is_found_at_its_last_entry() -> None:
    """Its signature is over all of it: whichever of three was changed, none of them is folded."""
    maker = ledger()
    for index in (3, 4, 5):
        made = list(maker.made)
        made[index] = replace(made[index], statement=maker.declare("R-9"))
        audit = judged(Shown(maker, chain(maker.origin, made)))
        assert (audit.only.rule, audit.only.references) == ("signature-invalid", ("market#5",))
        assert audit.covers("market").checked == 3


def test_what_was_signed_in_time_stays_signed() -> None:
    """A key may be revoked after what it signed, and another take its actor's place."""
    maker = ledger()
    maker.record([maker.revokes("clerk")], "registrar")
    maker.record([maker.registers("clerk", key=key_of("next"))], "registrar")
    maker.record([maker.declare("R-9")], key=key_of("next"))
    assert not judged(maker).found


def test_a_checkpoint_another_key_signed_convicts_nobody() -> None:
    """What the ledger's key did not sign is an observation about the server that showed it."""
    maker, tax = ledger(), ledger("tax")
    audit = judged(Shown(maker, note=tax.note()))
    assert (audit.only.rule, audit.only.standing) == ("tree-mismatch", Standing.OBSERVED)
    assert not audit.covers("market").complete


def test_a_registrars_key_that_a_later_charter_may_name_is_a_gap() -> None:
    """The ledger may go by a later version than this audit: what follows is not covered, and nobody is accused."""
    maker = ledger()
    maker.record([maker.registers("carol")], "registrar", key=key_of("the next registrar"))
    audit = judged(maker)
    assert not audit.found
    assert "this charter does not name" in audit.covers("market").gap
