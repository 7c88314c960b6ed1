"""What several callers are given is made into bytes once."""

from __future__ import annotations

from tallystick_node.services.serialized import KEPT, Serialized
from tallystick_proto.v1.ledger_pb2 import Bundle


def test_an_answer_given_again_is_not_made_into_bytes_again() -> None:
    """The same message is; an equal one is another, and what was given long ago is made anew."""
    made: list[Bundle] = []

    def serialize(bundle: Bundle) -> bytes:
        made.append(bundle)
        return bundle.SerializeToString()

    serialized, bundle = Serialized(), Bundle(first=3, entry=[b"entry"])
    wanted = bundle.SerializeToString()
    assert [serialized.of(bundle, serialize) for _ in range(4)] == [wanted] * 4
    assert len(made) == 1
    assert serialized.of(Bundle(first=3, entry=[b"entry"]), serialize) == wanted
    assert len(made) == 2
    for first in range(KEPT):
        other = Bundle(first=first)
        assert serialized.of(other, serialize) == other.SerializeToString()
    assert serialized.of(bundle, serialize) == wanted
    assert len(made) == KEPT + 3
