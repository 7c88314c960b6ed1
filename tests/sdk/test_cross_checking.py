"""What an audit holds ledgers against: what this client kept of them, and what ledgers carry against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from tallystick.audit.coverage import Coverage
from tallystick.audit.suspension import Suspension
from tallystick.core.bureau import Floor, Retired
from tallystick.core.charter_chain import read_version
from tallystick.core.checkpoint import Checkpoint, sign_checkpoint
from tallystick.core.equivocation import make_equivocation
from tallystick.core.hashing import chain_hash
from tallystick.core.note import VerifierKey, encode_base64
from tallystick.sdk.auditing import Audited, audit
from tallystick.sdk.clock import now_us
from tallystick.sdk.cross_checking import know_charter
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.profile import Profile
from tallystick_node.first_charter import sign_first_charter
from tests.harness.ledger_maker import LedgerMaker
from tests.harness.lying_district import LyingDistrict
from tests.harness.office import key_of
from tests.harness.versions import CLIENTS, HOLDER, after

MARKET, TAX = "market", "tax"
OLD = key_of("the key that the market's ledger had before")
FLOOR = 3


@pytest.fixture
def district(tmp_path: Path) -> Iterator[LyingDistrict]:
    """Two bureaus of five entries each; nothing is found."""
    with LyingDistrict(tmp_path, MARKET, TAX) as made:
        for bureau in (MARKET, TAX):
            for number in range(2):
                made.say(
                    bureau, "declare", resource=f"{bureau}-{number}", scheme="s", title="t", sharing="unconditional"
                )
        yield made


def audited(profile: Path | Profile, rules: list[str] | None = None) -> Audited:
    with Ledgers.open(profile) as ledgers:
        return audit(ledgers, date.today() + timedelta(days=2), rules=rules)


def test_evidence_on_another_ledger_is_found_kept_and_ends_the_belief(district: LyingDistrict) -> None:
    """The first audit reads both ledgers and believes one; the next one does not read the other. It is one finding."""
    office = district.office(MARKET)
    one, other = office.note(2, b"\1" * 32), office.note(2, b"\2" * 32)
    file = make_equivocation(one, other, office.bureau.ledger_verifier)
    said = {"accused": MARKET, "digest": chain_hash(file), "evidence": file.decode()}
    district.say(TAX, "report_equivocation", by="node", **said)
    ids, read = set(), []
    for _ in range(2):
        judged = audited(district.profile)
        (finding,) = judged.findings
        assert (finding.rule, finding.bureau, finding.references) == ("equivocation", MARKET, ("market#1", "tax#5"))
        assert judged.coverage.complete == {TAX}
        assert judged.coverage.exit_code == 5
        ids.add(finding.id)
        read.append([ledger.checked for ledger in judged.coverage.ledgers])
    assert len(ids) == 1
    assert read == [[5, 6], [0, 6]]


@pytest.fixture
def recovered(district: LyingDistrict, tmp_path: Path) -> Profile:
    """The auditor goes by a charter under which the market's ledger was recovered at its floor, with a new key."""
    root = district.node(MARKET).sequencer.ledger.root_at(FLOOR)
    before = VerifierKey.of(district.office(MARKET).origin, OLD.public).format()
    stanzas = [
        msgspec.structs.replace(
            district.office(MARKET).bureau,
            floor=Floor(FLOOR, encode_base64(root)),
            retired=(Retired(before, FLOOR),),
        ),
        district.office(TAX).bureau,
    ]
    note, digest = sign_first_charter("pudong", stanzas, HOLDER, key_of(CLIENTS), now_us())
    (tmp_path / "later.note").write_bytes(note)
    path = tmp_path / "later.toml"
    path.write_text(f'charter = "later.note"\ncharter_digest = "{digest}"\nstate = "later"\n')
    return Profile.load(path)


def kept(profile: Profile, origin: str, size: int, root: bytes) -> None:
    """A checkpoint by the key before, that this client trusted once and put aside."""
    folder = profile.state / "trust"
    folder.mkdir(parents=True, exist_ok=True)
    note = sign_checkpoint(Checkpoint(origin, size, root), OLD)
    (folder / f"{quote(origin, safe='')}+before-charter-2.note").write_bytes(note)


@pytest.mark.parametrize(
    ("size", "root_of", "rules"),
    [
        (4, lambda district, size: b"\1" * 32, ["acknowledged-lost"]),
        (5, lambda district, size: b"\1" * 32, ["acknowledged-lost"]),
        (4, lambda district, size: district.node(MARKET).sequencer.ledger.root_at(size), []),
        (5, lambda district, size: district.node(MARKET).sequencer.ledger.root_at(size), []),
        (6, lambda district, size: b"\1" * 32, []),
        (3, lambda district, size: b"\1" * 32, []),
    ],
    ids=["lost", "lost-at-the-end", "held", "held-at-the-end", "open", "vouched"],
)
def test_what_was_put_aside_is_judged_by_what_the_ledger_holds_now(
    district: LyingDistrict,
    recovered: Profile,
    size: int,
    root_of: Callable[[LyingDistrict, int], bytes],
    rules: list[str],
) -> None:
    """Lost where the present history has another root there, held where it has that one, and else open."""
    kept(recovered, district.office(MARKET).origin, size, root_of(district, size))
    judged = audited(recovered, rules=["acknowledged-lost", "equivocation"])
    assert [finding.rule for finding in judged.findings] == rules
    assert all(ledger.complete for ledger in judged.coverage.ledgers)


@pytest.mark.parametrize(("size", "accused"), [(FLOOR - 1, [MARKET]), (FLOOR + 1, [])])
def test_evidence_against_a_key_that_was_given_up_is_found_and_the_ledger_is_believed(
    district: LyingDistrict, recovered: Profile, size: int, accused: list[str]
) -> None:
    """It is proven of that key as far as the charter lets it vouch, and the charter says which history goes on."""
    origin = district.office(MARKET).origin
    notes = [sign_checkpoint(Checkpoint(origin, size, bytes([number]) * 32), OLD) for number in (1, 2)]
    file = make_equivocation(notes[0], notes[1], VerifierKey.of(origin, OLD.public))
    folder = recovered.state / "trust"
    folder.mkdir(parents=True)
    (folder / f"{quote(origin, safe='')}.equivocation").write_bytes(file)
    judged = audited(recovered, rules=["equivocation"])
    assert [finding.bureau for finding in judged.findings] == accused
    assert all(ledger.complete for ledger in judged.coverage.ledgers)


def test_who_was_suspended_is_read_from_the_versions_beside_each_other(tmp_path: Path) -> None:
    """Each by its number: the profile names the last, and the one before says since when."""
    stanzas = [LedgerMaker(bureau=bureau).bureau for bureau in (MARKET, TAX)]
    first = read_version(sign_first_charter("pudong", stanzas, HOLDER, key_of("charter"), now_us())[0])
    second = after(first, f'[[bureau]]\nid = "{MARKET}"\nstate = "suspended"\n')
    for name, version in (("charter.note", first), ("charter-2.note", second)):
        (tmp_path / name).write_bytes(version.note)
    path = tmp_path / "profile.toml"
    path.write_text(f'charter = "charter-2.note"\ncharter_digest = "{second.digest}"\nstate = "state"\n')
    coverage = Coverage("pudong", 2, second.digest, date.today(), True, [])
    know_charter(Profile.load(path), coverage)
    assert coverage.suspensions == (Suspension(MARKET, 2, second.charter.issued),)
