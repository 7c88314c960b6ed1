"""A witness whose record was put back from an older copy finds out by its own cosignature, and never signs two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tallystick.core.bureau import Floor, Retired
from tallystick.core.cosignature import make_cosignature
from tallystick.core.errors import BehindSigned, MalformedNote, SignatureInvalid
from tallystick.core.note import VerifierKey, add_signatures, encode_base64, parse_note
from tallystick_node.copies import Copy
from tallystick_proto.v1.witness_pb2 import ToCosign
from tests.harness import loop
from tests.harness.asked_witnesses import until
from tests.harness.lying_node import LyingNode
from tests.harness.office import NOW_US, key_of
from tests.harness.witnesses import Witness, gathered, record, text_of, witnessed_home

LATER_S = 3_600
NOW_S = NOW_US // 1_000_000


class District:
    """A node, and two witnesses that follow it, both of which are a quorum."""

    def __init__(self, node: LyingNode, one: Witness, other: Witness) -> None:
        self.node = node
        self.one = one
        self.other = other

    def reached(self, size: int) -> None:
        assert gathered(self.node, size) is not None

    def newest_of(self, witness: Witness) -> bytes:
        """What the ledger's node has of a witness."""
        return self.node.gathering.cosigned_by(witness.office.bureau.id)

    def copy(self, witness: Witness, key: str = "witness") -> Copy:
        """A witness's copy as its disk has it."""
        name = f"{witness.office.origin}/witness"
        return Copy(witness.disk.reopened(), witness.ledger, witness.office.keys[key], name)


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    home, offices = witnessed_home(tmp_path, 2)
    with LyingNode(home) as node:
        one, other = (Witness(office, node).start() for office in offices)
        try:
            yield District(node, one, other)
        finally:
            one.stop()
            other.stop()
    for witness in (one, other):
        witness.check()


def test_a_witness_put_back_is_told_what_it_cosigned_and_ends(district: District) -> None:
    """It is shown its own later cosignature before anything to cosign: nothing leaves it, nor after a restart."""
    one, node = district.one, district.node
    district.reached(record(node, 1).size)
    old = one.disk.reopened()
    district.reached(record(node, 2).size)
    one.stop()
    newest, witnessed = district.newest_of(one), node.gathering.witnessed
    one.disk = old
    later = record(node, 1)
    for _ in range(2):
        one.start()
        one.ended()
        one.stop()
    assert "put back from an older copy" in one.record.stopped
    assert one.record.shown == newest
    assert district.newest_of(one) == newest
    assert gathered(node, later.size, wait_s=0.05) is None
    assert node.gathering.witnessed == witnessed
    assert not district.other.record.stopped


def test_a_witness_put_back_may_be_reminded_by_others(district: District) -> None:
    """Where the ledger's node hides it, and another shows it before anything is cosigned, nothing leaves it either."""
    one, node = district.one, district.node
    district.reached(record(node, 1).size)
    old = one.disk.reopened()
    district.reached(record(node, 2).size)
    one.stop()
    newest, others = district.newest_of(one), district.other.cosigned
    one.disk = old
    node.lies["Cosign"] = lambda shown: ()
    one.start()
    one.shelf.load([one.ledger])
    one.shelf.remind(one.ledger.origin, others)
    assert not one.shelf.reminder(one.ledger.origin)
    one.shelf.remind(one.ledger.origin, newest)
    node.lies["Cosign"] = lambda shown: [ToCosign(checkpoint=shown.checkpoint)]
    later = record(node, 1)
    one.ended()
    assert one.record.shown == newest
    assert gathered(node, later.size, wait_s=0.05) is None


def test_a_later_time_is_more_than_the_record_says(district: District) -> None:
    """The same checkpoint, cosigned later than is remembered: what else was cosigned then, nobody knows."""
    one = district.one
    district.reached(record(district.node, 1).size)
    one.stop()
    old = one.disk.reopened()
    one.now_us += LATER_S * 1_000_000
    before = district.newest_of(one)
    one.start()
    loop.run(until(lambda: district.newest_of(one) != before))
    one.stop()
    assert text_of(district.newest_of(one)) == text_of(before)
    one.disk = old
    one.start()
    one.ended()
    assert one.record.stopped


def test_another_key_goes_on_where_the_first_forgot(district: District) -> None:
    """The stop binds the key that forgot: with a new one the copy is extended and cosigned again."""
    one, node = district.one, district.node
    district.reached(record(node, 1).size)
    one.stop()
    old = one.disk.reopened()
    one.start()
    district.reached(record(node, 1).size)
    one.stop()
    one.disk = old
    one.start()
    one.ended()
    one.office.keys["new"] = key_of("new witness")
    assert district.copy(one).stopped
    renewed = district.copy(one, "new")
    assert not renewed.stopped
    renewed.cosigning = renewed.cosign(node.sequencer.published.note, NOW_S)
    assert not renewed.cosigning.stopped
    assert not renewed.cosigning.behind_key


def test_what_was_cosigned_before_is_no_news(district: District) -> None:
    """Every note it ever cosigned, shown again, is remembered, or covered by what is."""
    one, node = district.one, district.node
    shown = []
    for _ in range(5):
        district.reached(record(node, 1).size)
        shown.append(one.cosigned)
    for note in shown:
        district.copy(one).recall(note)


def cosigned(district: District, text: str, at_s: int, key: str = "witness") -> bytes:
    """A checkpoint of the ledger with a cosignature under the witness's name."""
    office, ledger = district.one.office, district.node.home.office
    size, root = int(text.split(" ")[0]), bytes.fromhex(text.split(" ")[1])
    note = ledger.note(size, root)
    return add_signatures(
        note, make_cosignature(text_of(note), at_s, office.keys.get(key, key_of(key)), f"{office.origin}/witness")
    )


def test_more_than_the_record_says_cannot_be(district: District) -> None:
    """A larger size, a later time, another root at the same or an earlier size: behind; the very record is not."""
    district.reached(record(district.node, 3).size)
    copy = district.copy(district.one)
    checkpoint, at_s = copy.opened(copy.cosigned), copy.cosigning.cosigned_at_s
    true, other = checkpoint.root.hex(), "07" * 32
    copy.recall(cosigned(district, f"{checkpoint.size} {true}", at_s))
    for size, root, when in (
        (checkpoint.size + 1, other, at_s),
        (checkpoint.size, true, at_s + 1),
        (checkpoint.size, other, at_s),
        (checkpoint.size - 1, other, at_s - 1),
    ):
        with pytest.raises(BehindSigned) as behind:
            copy.recall(cosigned(district, f"{size} {root}", when))
        assert behind.value.known == size


Bend = Callable[[District], bytes]


@pytest.mark.parametrize(
    ("bend", "error"),
    [
        (lambda district: b"junk", MalformedNote),
        (lambda district: district.node.sequencer.published.note, SignatureInvalid),
        (lambda district: district.other.cosigned, SignatureInvalid),
        (lambda district: cosigned(district, f"9 {'07' * 32}", NOW_S, "former"), SignatureInvalid),
        (lambda district: district.one.office.note(9, b"\7" * 32), SignatureInvalid),
    ],
)
def test_what_it_did_not_cosign_ends_nothing(district: District, bend: Bend, error: type[Exception]) -> None:
    """Junk, no cosignature, another witness's, a former key's, another ledger's: they prove nothing, and it goes on."""
    district.reached(record(district.node, 1).size)
    note = bend(district)
    with pytest.raises(error):
        district.copy(district.one).recall(note)
    told: list[int] = []

    def once(shown: ToCosign) -> list[ToCosign] | None:
        told.append(1)
        return [ToCosign(checkpoint=shown.checkpoint, yours=note)] if len(told) == 1 else None

    district.node.lies["Cosign"] = once
    district.one.stop()
    district.one.start()
    district.reached(record(district.node, 1).size)
    assert told
    assert not district.one.record.stopped
    assert parse_note(district.one.cosigned).signatures


def test_a_copy_that_was_let_go_of_is_not_forgotten(district: District) -> None:
    """What was cosigned within the floor, of a copy that is fetched again, is no news; beyond it, or later, is."""
    district.reached(record(district.node, 3).size)
    copy = district.copy(district.one)
    note, at_s = copy.cosigned, copy.cosigning.cosigned_at_s
    checkpoint = copy.opened(note)
    text = f"{checkpoint.size} {checkpoint.root.hex()}"
    key = VerifierKey.of(copy.bureau.origin, key_of("former ledger").public).format()
    copy.bureau = msgspec.structs.replace(
        copy.bureau,
        floor=Floor(checkpoint.size, encode_base64(checkpoint.root)),
        retired=(Retired(key, checkpoint.size),),
    )
    assert copy.start_over()
    again = Copy(copy.ledger.store._store, copy.bureau, copy._key, copy._name)  # type: ignore[attr-defined]
    assert again.size == 0
    again.recall(note)
    for more in (cosigned(district, text, at_s + 1), cosigned(district, f"{checkpoint.size + 1} {'07' * 32}", at_s)):
        with pytest.raises(BehindSigned):
            again.recall(more)
