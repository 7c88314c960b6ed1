"""What others go by: what is worth asking for, what a note adds, and that what is remembered is bounded."""

from __future__ import annotations

import pytest

from tallystick.core.charter_chain import Version, read_version
from tallystick.core.hashing import parse_digest
from tallystick.core.limits import CHARTER_BYTES_MAX
from tallystick.core.versions import ASKED_MAX, LINES_MAX, Fork, Versions
from tallystick_proto.v1.gossip_pb2 import CharterLine
from tests.harness.office import Office
from tests.harness.versions import after, twins

FIRST = read_version(Office().charter()[0])
ONE, OTHER = twins(FIRST)
THIRD = after(ONE)


def line(version: Version) -> CharterLine:
    return CharterLine(number=version.number, digest=parse_digest(version.digest))


def test_later_versions_come_one_after_the_other() -> None:
    """The next one is asked for though a later one is shown too, and each is held from then on."""
    versions = Versions([FIRST])
    for wanted in (ONE, THIRD):
        assert versions.asks("taxation", [line(THIRD), line(ONE), line(FIRST)]) == line(wanted)
        assert versions.take(wanted.note) == wanted
        assert versions.take(wanted.note) is None
        versions.answered("taxation", line(wanted))
    assert versions.asks("taxation", [line(THIRD), line(ONE), line(FIRST)]) is None
    assert versions.lines() == [line(FIRST), line(THIRD), line(ONE)]
    assert versions.note(parse_digest(THIRD.digest)) == THIRD.note
    assert versions.unsettled is None
    assert Versions([FIRST]).asks("taxation", [line(THIRD)]) is None


@pytest.mark.parametrize(
    ("known", "unsettled"),
    [((FIRST, ONE), True), ((FIRST,), True), ((FIRST, ONE, THIRD), False)],
    ids=["gone by", "later", "settled"],
)
def test_two_of_one_number_are_a_fork_until_one_goes_by_a_later_one(
    known: tuple[Version, ...], unsettled: bool
) -> None:
    """Of a number that is past it is a fork too, and stands in nobody's way; a third one of it adds nothing."""
    versions = Versions(known)
    versions.take(ONE.note)
    assert versions.asks("taxation", [line(OTHER)]) == line(OTHER)
    assert versions.take(OTHER.note) == Fork(ONE, OTHER)
    assert (versions.unsettled == Fork(ONE, OTHER)) is unsettled
    assert line(OTHER) in versions.lines()
    third = after(FIRST, '[rulebook]\npurposes = ["case"]\n')
    assert versions.asks("taxation", [line(third)]) is None
    assert versions.take(third.note) is None


def test_whoever_says_much_in_vain_is_asked_no_more_and_the_others_are() -> None:
    """Once for a digest, for so many digests at most; that a liar names a digest keeps nobody else from showing it."""
    versions = Versions([FIRST])
    said = [CharterLine(number=2, digest=bytes([number]) * 32) for number in range(ASKED_MAX)]
    for each in said:
        assert versions.asks("liar", [each]) == each
        versions.answered("liar", each)
        assert versions.asks("liar", [each]) is None
        assert versions.asks("taxation", [each]) == each
    assert versions.asks("liar", [line(ONE)]) is None
    many = [line(FIRST)] * LINES_MAX + [line(ONE)]
    assert versions.asks("taxation", many) is None


@pytest.mark.parametrize("note", [b"", b"\xff", ONE.note[:-5], ONE.note + b" " * CHARTER_BYTES_MAX])
def test_a_note_that_no_holder_signed_adds_nothing(note: bytes) -> None:
    """Whatever it says, and however long it is."""
    versions = Versions([FIRST])
    assert versions.take(note) is None
    assert versions.lines() == [line(FIRST)]
