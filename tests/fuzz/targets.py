"""All the targets there are, by name."""

from __future__ import annotations

from typing import Final

from tests.fuzz import answers, certificates, charters, imports, kept, proofs, records, texts
from tests.fuzz.target import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for room in (proofs, certificates, charters, records, answers, imports, kept, texts)
    for target in room.TARGETS
}
