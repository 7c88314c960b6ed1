"""Who may do what, cell by cell, on a real cluster over TLS: everybody, every call, every statement kind.

What is expected is written out here by hand, and taken from nothing that the node reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tallystick.core.kinds import KINDS
from tallystick.sdk.clock import now_us
from tallystick.sdk.wire_errors import from_detail
from tallystick_node.cluster.nursery import Nursery
from tallystick_proto.v1 import ledger_pb2
from tallystick_proto.v1.meta_pb2 import Role
from tests.harness.authorities import shown_by
from tests.harness.calls import own_calls
from tests.harness.office import key_of
from tests.harness.places import (
    LETTERS,
    OBSERVER,
    OWN,
    District,
    Place,
    clear_in,
    column,
    district_in,
    read,
    submit,
)
from tests.harness.principals import (
    NOT_LET_IN,
    WAIT_S,
    YES,
    Signer,
    channel_to,
    outcome,
    refusal_of,
    registration,
    revocation,
)

# `y` is answered, `.` is not let in; `-` is let in, and refused all the same: who is suspended is no witness, and
# health knows no list.
CALLS = """
                                                          o s r n  N P R  W w  U u  J  c
tallystick.v1.Submit/Submit                               y y y .  . . .  . .  . .  .  y
tallystick.v1.Submit/SubmitMany                           y y y .  . . .  . .  . .  .  y
tallystick.v1.Ledger/GetCheckpoint                        y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/WatchCheckpoints                     y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/ProveConsistency                     y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/ProveInclusion                       y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/ProvePresence                        y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/ReadEntries                          y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/Find                                 y y y y  y y y  y y  y y  y  y
tallystick.v1.Ledger/FindOpenings                         y . . .  . . .  . .  . .  y  y
tallystick.v1.Ledger/Disclose                             y . . .  . y y  . y  . y  y  y
tallystick.v1.Witness/Cosign                              . . . .  y . .  y .  - .  .  y
tallystick.v1.Witness/GetHeld                             y y y y  y y y  y y  y y  y  y
tallystick.v1.Witness/GetCosigned                         y y y y  y y y  y y  y y  y  y
tallystick.v1.Gossip/Swap                                 y y y y  y y y  y y  y y  y  y
tallystick.v1.Gossip/Tell                                 y y y y  y y y  y y  y y  y  y
tallystick.v1.Gossip/GetCharter                           y y y y  y y y  y y  y y  y  y
tallystick.v1.Operate/Backup                              . . . y  . . .  . .  . .  .  y
grpc.health.v1.Health/Check                               y y y y  y y y  y y  y y  y  y
grpc.health.v1.Health/List                                - - - -  - - -  - -  - -  -  -
grpc.health.v1.Health/Watch                               y y y y  y y y  y y  y y  y  y
grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo y y y y  . . .  . .  . .  .  y
"""
# At the observer's own node: of another's ledger, since it has none.
OBSERVED = """
                                                              W w N P J
tallystick.v1.Submit/Submit                                   . . . . .
tallystick.v1.Submit/SubmitMany                               . . . . .
tallystick.v1.Ledger/GetCheckpoint                            y y y y y
tallystick.v1.Ledger/ReadEntries                              y y y y y
tallystick.v1.Ledger/FindOpenings                             . . . . -
tallystick.v1.Ledger/Disclose                                 . - . - -
tallystick.v1.Witness/Cosign                                  . . - . .
tallystick.v1.Gossip/Swap                                     y y y y y
tallystick.v1.Operate/Backup                                  y . . . .
grpc.health.v1.Health/Check                                   y y y y y
grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo y . . . .
"""
# By the role of who signs: officer, system, registrar, node.
SIGNED = """
                     o s r n
ResourceDeclared     y y . .
ResourceWithdrawn    y y . .
VersionProvided      y y . .
VersionRecalled      y y . .
AccessRequested      y y . .
AccessGranted        y . . .
AccessDenied         y . . .
AccessEnded          y y . .
DataSent             y y . .
DataReceived         y y . .
ExchangeFailed       y y . .
DataUsed             y y . .
ConcernRaised        y y . .
ConcernAnswered      y y . .
NoticeAcknowledged   y y . .
DutyAssigned         y . . .
DutyAnswered         y . . .
DutyReleased         y . . .
SystemRegistered     y y . .
SystemUsed           y y . .
SystemRetired        y y . .
ActorRegistered      . . y .
ActorRevoked         . . y .
CharterAdopted       . . . y
CheckpointWitnessed  . . . y
EquivocationFound    . . . y
RecoveryPerformed    . . . y
RecordsShown         . . . y
DisclosureErased     y . . .
"""
MINUTE_US = 60_000_000
# Who signs for the ledger and may not, whatever the kind.
FALSE_SIGNERS = ("revoked", "stranger", "another bureau's", "in another's name")


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[District]:
    with district_in(tmp_path_factory.mktemp("district"), nursery) as made:
        yield made


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[Place]:
    with clear_in(tmp_path_factory.mktemp("clear"), nursery) as made:
        yield made


@pytest.fixture(scope="module")
def called(request: pytest.FixtureRequest) -> Iterator[tuple[str, Place, grpc.Channel]]:
    """Somebody's letter, the node that is called, and a connection to it."""
    letter = request.param
    place = request.getfixturevalue("clear" if letter == "c" else "district")
    with place.channel(LETTERS[letter]) as channel:
        yield letter, place, channel


everybody = pytest.mark.parametrize("called", LETTERS, indirect=True)
recorders = pytest.mark.parametrize("called", "osrc", indirect=True)
others = pytest.mark.parametrize("called", sorted(LETTERS.keys() - set("osrc")), indirect=True)
Called = tuple[str, Place, grpc.Channel]


@everybody
def test_every_call(called: Called) -> None:
    """A call is answered, or refused, as the table says; all refusals of it are in the same words."""
    letter, place, channel = called
    cells = {YES: "y", NOT_LET_IN: ".", "NotAllowed": "-", "NotFound": "-"}
    ends = {rpc: outcome(channel, rpc, asked) for rpc, asked in place.questions(LETTERS[letter]).items()}
    assert {rpc: cells.get(end, end) for rpc, end in ends.items()} == column(CALLS, letter)


@pytest.mark.parametrize("letter", "WwNPJ")
def test_an_observers_node(district: District, letter: str) -> None:
    """It records nothing for anybody, and takes its own readers for anybody's."""
    holder, cells = LETTERS[letter], {YES: "y", NOT_LET_IN: ".", "NotFound": "-"}
    expected, asked = column(OBSERVED, letter), district.questions(holder, OBSERVER)
    with district.channel(holder, OBSERVER) as channel:
        ends = {rpc: outcome(channel, rpc, asked[rpc]) for rpc in expected}
    assert {rpc: cells.get(end, end) for rpc, end in ends.items()} == expected


def test_the_tables_name_every_call_and_kind() -> None:
    """Of the node's, and of the statements there are."""
    assert {row for row, _ in read(CALLS)} >= set(own_calls())
    assert [row for row, letter in read(SIGNED) if letter == "o"] == [kind.name for kind in KINDS.values()]


def test_nobody_gets_anything(district: District) -> None:
    """Whoever is nobody learns the same from every call: that it is not for him, or not even that."""
    for name, (channel, expected) in district.nobody().items():
        with channel:
            ends = {outcome(channel, rpc, asked) for rpc, asked in district.questions(f"{OWN}:leaver").items()}
        assert ends == {expected}, name


def submitted_one_by_one(channel: grpc.Channel, signer: Signer) -> dict[str, str]:
    """What becomes of a submission of each kind, by the kind's name."""
    return {
        kind.name: submit(channel, submission)
        for kind, submission in zip(KINDS.values(), signer.of_every_kind(), strict=True)
    }


def submitted_together(channel: grpc.Channel, signer: Signer) -> dict[str, str]:
    """The same over one stream."""
    asked = [ledger_pb2.SubmitRequest(submission=each).SerializeToString() for each in signer.of_every_kind()]
    call: Any = channel.stream_stream("/tallystick.v1.Submit/SubmitMany")
    names = [kind.name for kind in KINDS.values()]
    try:
        answers = [ledger_pb2.SubmitAnswer.FromString(each) for each in call(iter(asked), timeout=WAIT_S)]
    except grpc.RpcError as error:
        return dict.fromkeys(names, refusal_of(error))
    ends = [
        YES if each.WhichOneof("answer") == "receipt" else type(from_detail(each.refusal)).__name__ for each in answers
    ]
    return dict(zip(names, ends, strict=True))


SUBMITTED = {"one by one": submitted_one_by_one, "together": submitted_together}
each_way = pytest.mark.parametrize("way", SUBMITTED)


@each_way
@recorders
def test_every_kind_by_whoever_may_sign_it(called: Called, way: str) -> None:
    """Whoever carries it there, a kind is recorded if the role of the key that signed it may say it."""
    _, place, channel = called
    cells = {YES: "y", "NotAllowed": "."}
    for role, signer in place.signers.items():
        ends = SUBMITTED[way](channel, signer)
        assert {kind: cells.get(end, end) for kind, end in ends.items()} == column(SIGNED, role), role


@each_way
@recorders
def test_no_kind_by_whom_the_ledger_does_not_know(called: Called, way: str) -> None:
    """Nor by a key that it revoked, nor by one in another's name."""
    _, place, channel = called
    for name in FALSE_SIGNERS:
        assert set(SUBMITTED[way](channel, place.false_signers[name]).values()) == {"NotAuthentic"}, name


@each_way
@others
def test_nothing_is_recorded_for_others(called: Called, way: str) -> None:
    """Not even what the bureau's own actors signed: a submission is no pass, wherever it was come by."""
    _, place, channel = called
    for role, signer in {**place.signers, **place.false_signers}.items():
        assert set(SUBMITTED[way](channel, signer).values()) == {NOT_LET_IN}, role


def test_who_is_revoked_is_cut_off(district: District) -> None:
    """On streams that were open before, too: nothing more is shown on any connection."""
    registrar, rpc = district.signers["r"], "tallystick.v1.Ledger/WatchCheckpoints"
    asked = district.questions(f"{OWN}:temporary")[rpc]
    with district.channel(f"{OWN}:registrar") as desk, district.channel(f"{OWN}:temporary") as channel:
        assert outcome(channel, rpc, asked) == NOT_LET_IN
        registered = registration(district.bureau, "temporary", key_of("temporary"), Role.SYSTEM)
        assert submit(desk, registrar.submission(registrar.say("register_actor", registered))) == YES
        stream: Any = channel.unary_stream(f"/{rpc}")
        watching = stream(asked, timeout=WAIT_S)
        next(watching)
        assert submit(desk, registrar.submission(district.revoking(registrar, "temporary"))) == YES
        with pytest.raises(grpc.RpcError) as ended:
            list(watching)  # what was signed before may still come
        assert refusal_of(ended.value) == NOT_LET_IN
        assert outcome(channel, rpc, asked) == NOT_LET_IN
    assert f"{OWN}:temporary is not registered, or revoked" in district.cluster[OWN].log_text


def test_a_stolen_certificate_ends_with_the_stolen_key(district: District) -> None:
    """Though its actor has a new key by then; the certificate that he is issued anew is let in. The one begins ninety
    minutes ago, the other an hour: each begins an hour before it is made.
    """
    registrar, rpc, at_us = district.signers["r"], "tallystick.v1.Ledger/GetCheckpoint", now_us()
    asked = district.questions(f"{OWN}:robbed")[rpc]
    stolen = channel_to(district.bureau, shown_by(district.authority(OWN), f"{OWN}:robbed", at_us - 30 * MINUTE_US))
    with district.channel(f"{OWN}:registrar") as desk, stolen, district.channel(f"{OWN}:robbed") as renewed:

        def said(kind: str, values: dict[str, object]) -> str:
            return submit(desk, registrar.submission(registrar.say(kind, values)))

        assert said("register_actor", registration(district.bureau, "robbed", key_of("robbed"))) == YES
        assert [outcome(each, rpc, asked) for each in (stolen, renewed)] == [YES, YES]
        theft = revocation(district.bureau, "robbed", key_of("robbed")) | {"compromised_since": at_us - 75 * MINUTE_US}
        assert said("revoke_actor", theft) == YES
        assert [outcome(each, rpc, asked) for each in (stolen, renewed)] == [NOT_LET_IN, NOT_LET_IN]
        assert said("register_actor", registration(district.bureau, "robbed", key_of("robbed no more"))) == YES
        assert [outcome(each, rpc, asked) for each in (stolen, renewed)] == [NOT_LET_IN, YES]
