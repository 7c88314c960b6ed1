"""What has few possible values is not found out by trying them, however much else one knows."""

from __future__ import annotations

from itertools import product

from tallystick.core.commitment import Place, check_opening
from tallystick.core.compose import Sensitive
from tallystick.core.errors import VerificationFailed
from tallystick.core.evidence import Proven
from tallystick.core.kinds import SENSITIVE
from tallystick.core.limits import SALT_BYTES
from tallystick.core.statement import commitment_at
from tallystick.sdk.ledgers import Ledgers
from tallystick_node.cluster.local import LocalCluster

TAX = "taxation"
ANSWERS = ("yes", "no")


def commitments(proven: Proven) -> dict[str, tuple[bytes, Place]]:
    """The commitments of an entry, by field, with their places: all of it is there for everybody to read."""
    found = {}
    for field in SENSITIVE:
        commitment = commitment_at(proven.entry.statement, field)
        if commitment is not None:
            position = proven.entry.index - proven.entry.first
            at = Place(proven.bureau.origin, proven.signature.submission_id, position, field)
            found[field] = commitment, at
    return found


def opens(commitment: bytes, at: Place, salt: bytes, value: bytes) -> bool:
    try:
        check_opening(commitment, at, salt, value)
    except VerificationFailed:
        return False
    return True


def test_no_value_is_found_by_trying(cluster: LocalCluster) -> None:
    """Of two possible answers, and of the few entries that a search may have found. For a salt whatever stands in the
    ledger is tried, and every salt that was shown of others; the right one opens each.
    """
    tax = cluster[TAX]
    for answer in (*ANSWERS, "yes"):
        tax.gateway.use("R-1@1", purpose="joint-supervision", subject=Sensitive(answer))
    with tax.gateway.recorder() as record:
        for answer in (*ANSWERS, "yes"):
            record.use("R-1@1", purpose="joint-supervision", subject=Sensitive(answer))
    tax.sdk.assign_duty("planning", duty="approver", person=Sensitive("yes"), matter="M-1")
    with Ledgers.open(cluster.auditor_profile) as ledgers:
        reader = ledgers[TAX]
        end = reader.refresh().size
        assert list(reader.wire.find_openings("data_used.subject", b"yes", 0, end))
        size = reader.refresh().size
        read = [ledgers.show(f"{TAX}#{index}") for index in range(size)]
        hidden = [(each.entry.index, *found) for each in read for found in commitments(each).values()]
        assert len({commitment for _, commitment, _ in hidden}) == len(hidden) > 10
        opened = {index: ledgers.show(f"{TAX}#{index}", []).disclosures[0] for index, _, _ in hidden}
    texts = [each.entry.raw for each in read]
    salts = {text[at : at + SALT_BYTES] for text in texts for at in range(len(text) - SALT_BYTES + 1)}
    salts |= {bytes(SALT_BYTES)}
    values = [each.encode() for each in (*ANSWERS, *map(str, range(end)))]
    for index, commitment, at in hidden:
        known = salts | {each.salt for other, each in opened.items() if other != index}
        assert not any(opens(commitment, at, salt, value) for salt, value in product(known, values))
        assert opened[index].value in values
        assert opens(commitment, at, opened[index].salt, opened[index].value)
