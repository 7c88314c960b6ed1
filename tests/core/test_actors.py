"""Actors: keys are valid by index between registration and revocation, and nobody comes by one without proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.actors import Actors, possession_message, prove_possession
from tallystick.core.errors import NotAuthentic
from tallystick.core.evidence import actors_of
from tallystick.core.keys import SigningKey
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import Statement
from tests.harness.ledger_maker import START_US, LedgerMaker, key_of

MAKER = LedgerMaker()
CLERK = MAKER.keys["clerk"]


def recorded_us(index: int) -> int:
    """When an entry was recorded."""
    return START_US + index


def actors(*statements: bytes, first: int = 10) -> Actors:
    """The charter's keys and what these statements, from entry `first` on, make of them."""
    folded = actors_of(MAKER.bureau)
    for index, data in enumerate(statements, first):
        folded.fold(index, Statement.FromString(data), recorded_us(index))
    return folded


def refusal(found: Actors, data: bytes) -> str:
    """The sentence with which a statement is refused; refused, it changes nothing."""
    before = list(found)
    statement = Statement.FromString(data)
    with pytest.raises(NotAuthentic) as caught:
        found.check(statement)
    with pytest.raises(NotAuthentic):
        found.fold(99, statement, recorded_us(99))
    assert list(found) == before
    return str(caught.value)


def may(found: Actors, name: str, key: SigningKey, index: int) -> bool:
    try:
        found.authorise(MAKER.actor(name), key.public, index)
    except NotAuthentic:
        return False
    return True


def test_the_charters_keys_are_valid_from_the_first_entry() -> None:
    """The node's and the registrar's keys sign as themselves, from entry 0 on, and as nobody else."""
    found = actors()
    assert found.authorise(MAKER.actor("node"), MAKER.keys["node"].public, 0).role == Role.NODE
    assert found.authorise(MAKER.actor("registrar"), MAKER.keys["registrar"].public, 0).role == Role.REGISTRAR
    for name, key in (("node", "registrar"), ("registrar", "node"), ("clerk", "node")):
        assert not may(found, name, MAKER.keys[key], 5)
    with pytest.raises(NotAuthentic):
        found.authorise("taxation:node", MAKER.keys["node"].public, 5)


def test_a_key_is_valid_after_its_registration() -> None:
    """Not before it, not at it, and from the next entry on; an unknown key never."""
    found = actors(MAKER.registers("clerk"))
    assert [may(found, "clerk", CLERK, index) for index in (0, 9, 10, 11, 10**9)] == [False, False, False, True, True]
    assert not may(found, "gateway", CLERK, 11)
    assert not may(found, "clerk", MAKER.keys["gateway"], 11)
    registered = found.authorise(MAKER.actor("clerk"), CLERK.public, 11)
    assert (registered.index, registered.role, registered.revoked) == (10, Role.OFFICER, None)


def test_a_key_is_valid_up_to_its_revocation() -> None:
    """What was recorded before a revocation stays valid; nothing after it is."""
    found = actors(MAKER.registers("clerk"), MAKER.revokes("clerk"))
    assert [may(found, "clerk", CLERK, index) for index in (10, 11, 12)] == [False, True, False]
    known = found.by_key(CLERK.public)
    assert known is not None
    assert known.revoked == 11


def test_a_revoked_key_never_returns() -> None:
    """Revoked once, a key is neither revoked again nor registered again, under its old name or a new one."""
    found = actors(MAKER.registers("clerk"), MAKER.revokes("clerk"))
    assert "no valid key" in refusal(found, MAKER.revokes("clerk"))
    assert "stands under" in refusal(found, MAKER.registers("clerk"))
    assert "stands under" in refusal(found, MAKER.registers("other", key=CLERK))


def test_an_actor_may_have_several_keys() -> None:
    """A second key of the same actor is valid beside the first, and outlives its revocation."""
    second = key_of("second")
    found = actors(MAKER.registers("clerk"), MAKER.registers("clerk", key=second), MAKER.revokes("clerk"))
    assert may(found, "clerk", second, 20)
    assert not may(found, "clerk", CLERK, 20)


def test_no_key_stands_under_two_names() -> None:
    """A key of the charter's or of another actor is not registered again."""
    found = actors(MAKER.registers("clerk"))
    for key in (CLERK, MAKER.keys["node"], MAKER.keys["registrar"]):
        assert "stands under" in refusal(found, MAKER.registers("gateway", Role.SYSTEM, key))


def test_a_registrar_registers_its_own_bureaus_actors() -> None:
    """The names of node and registrar are taken, and another bureau's actors are not this one's."""
    for name in ("node", "registrar"):
        assert "may register" in refusal(actors(), MAKER.registers(name, key=key_of("x")))
    foreign = LedgerMaker(bureau="taxation")
    assert "may register" in refusal(actors(), foreign.registers("clerk"))
    odd = Statement.FromString(MAKER.registers("clerk"))
    odd.actor_registered.registered = "market-regulation"
    assert "not an actor" in refusal(actors(), odd.SerializeToString())


@pytest.mark.parametrize("role", [Role.ROLE_UNSPECIFIED, Role.REGISTRAR, Role.NODE, 99])
def test_only_systems_and_officers_are_registered(role: int) -> None:
    """The other roles are the charter's to give, and a role nobody declared is none."""
    statement = Statement.FromString(MAKER.registers("clerk"))
    statement.actor_registered.role = role  # type: ignore[assignment]
    assert f"role {role}" in refusal(actors(), statement.SerializeToString())


def test_the_holder_of_a_key_proves_to_have_it() -> None:
    """A proof by another key, for another name, role or ledger, or no proof, registers nobody."""
    origin, actor = MAKER.origin, MAKER.actor("clerk")
    statement = Statement.FromString(MAKER.registers("clerk"))
    for proof in (
        b"",
        bytes(64),
        MAKER.keys["registrar"].sign(possession_message(origin, actor, Role.OFFICER, CLERK.public)),
        prove_possession("pudong.example/taxation", actor, Role.OFFICER, CLERK),
        prove_possession(origin, MAKER.actor("gateway"), Role.OFFICER, CLERK),
        prove_possession(origin, actor, Role.SYSTEM, CLERK),
        CLERK.sign(possession_message(origin, actor, Role.OFFICER, MAKER.keys["gateway"].public)),
    ):
        statement.actor_registered.possession = proof
        assert "expected a signature by the new key" in refusal(actors(), statement.SerializeToString())


def test_the_proof_of_possession_is_the_format() -> None:
    """What a new key signs names ledger, actor, role in lower case and the key, a line each."""
    assert possession_message("a.b/c", "a:b", Role.SYSTEM, bytes(32)) == (
        b"tallystick/actor/v1\na.b/c\na:b\nsystem\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    )


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, b"k" * 31, b""])
def test_a_key_that_would_verify_anything_is_not_registered(key: bytes) -> None:
    """Small-order, not canonical and cut keys are refused whatever their proof."""
    statement = Statement.FromString(MAKER.registers("clerk"))
    statement.actor_registered.key = key
    statement.actor_registered.possession = b"\x01" + bytes(63)
    assert "public key" in refusal(actors(), statement.SerializeToString())


def test_a_revocation_names_a_valid_key_of_its_actor() -> None:
    """A key never registered, another actor's, and the charter's own are not revoked on a ledger."""
    found = actors(MAKER.registers("clerk"))
    for name, key in (
        ("gateway", None),
        ("gateway", CLERK),
        ("clerk", key_of("x")),
        ("node", None),
        ("registrar", None),
    ):
        assert "no valid key" in refusal(found, MAKER.revokes(name, key))


@pytest.mark.parametrize("since_us", [1, recorded_us(11), recorded_us(11) + 1, 2**62])
def test_no_key_was_compromised_after_the_entry_that_says_so(since_us: int) -> None:
    """What is held against certificates is the moment that was said, and the revocation's own where that is later."""
    found = actors(MAKER.registers("clerk"), MAKER.revokes("clerk", since_us=since_us))
    assert found.compromised_us(MAKER.actor("clerk")) == min(since_us, recorded_us(11))
    assert found.copy().compromised_us(MAKER.actor("clerk")) == min(since_us, recorded_us(11))


def test_other_statements_change_nothing() -> None:
    """What does not register or revoke is let pass and folds to nothing."""
    found = actors()
    before = list(found)
    statement = Statement.FromString(MAKER.use())
    found.check(statement)
    found.fold(5, statement, recorded_us(5))
    assert list(found) == before


def test_a_copy_goes_its_own_way() -> None:
    """What is folded into a copy is not folded into the original, nor the other way round."""
    found = actors()
    twin = found.copy()
    twin.fold(1, Statement.FromString(MAKER.registers("clerk")), recorded_us(1))
    found.fold(1, Statement.FromString(MAKER.registers("gateway", Role.SYSTEM)), recorded_us(1))
    assert may(twin, "clerk", CLERK, 2)
    assert not may(found, "clerk", CLERK, 2)
    assert not may(twin, "gateway", MAKER.keys["gateway"], 2)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12))
def test_validity_is_what_the_entries_before_say(events: list[tuple[str, bool]]) -> None:
    """After any registrations and revocations a key is valid where the last of its entries before registered it."""
    found = actors_of(MAKER.bureau)
    standing: dict[str, list[bool | None]] = {name: [] for name in "abc"}
    for index, (name, registers) in enumerate(events):
        data = (MAKER.registers if registers else MAKER.revokes)(name, key=key_of(name))
        was = standing[name][-1] if standing[name] else None
        lawful = was is None if registers else was is True
        try:
            found.fold(index, Statement.FromString(data), recorded_us(index))
        except NotAuthentic:
            assert not lawful
        else:
            assert lawful
        for other in "abc":
            now = registers if other == name and lawful else (standing[other][-1] if standing[other] else None)
            standing[other].append(now)
    for name, history in standing.items():
        for index in range(1, len(events) + 1):
            assert may(found, name, key_of(name), index) == (history[index - 1] is True)
