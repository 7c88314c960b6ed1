"""`charter-fork`: two texts of one version of the charter."""

from __future__ import annotations

from tallystick.audit.coverage import CharterFork
from tallystick.audit.covered import covered
from tallystick.audit.finding import Finding, Standing
from tallystick.audit.rulebook import Severity
from tallystick.audit.words import Words
from tallystick.core.hashing import format_digest
from tallystick.core.identifiers import HOLDERS
from tests.harness.district import District
from tests.harness.stories import only

DAY = "2027-03-02"
ONE, OTHER = bytes([1] * 32), bytes([2] * 32)
DIGESTS = f"{format_digest(ONE)}, {format_digest(OTHER)}"


def district() -> District:
    """Two bureaus, under a charter of which this client knows two versions."""
    where = District("market", "tax")
    where.versions = {1: format_digest(bytes(32)), 2: format_digest(ONE)}
    return where


def adopts(where: District, version: int, digest: bytes) -> None:
    where["market"].say("adopt_charter", by="node", version=version, digest=digest)


def test_who_goes_by_another_text_says_so_alone() -> None:
    """It is that bureau's word: nobody else is shown to have signed the other text."""
    where = district()
    adopts(where, 1, bytes(32))
    adopts(where, 2, OTHER)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("charter-fork", "market", ("market#1",))
    assert (finding.standing, finding.severity) == (Standing.ONE_SIDE, Severity.WARNING)
    assert where.sentence(finding, "en") == (
        f"market goes by another text than this client of version 2 of the charter: {DIGESTS} (one side's word)"
    )
    assert where.sentence(finding, "zh") == (
        f"market局 所采用的文本与本端所知不同，章程第 2 版：{DIGESTS.replace(', ', '、')}（一方之言）"
    )


def test_two_texts_that_the_holders_signed_are_proven_of_them() -> None:
    """No bureau answers for it; of several forks the first is meant, since nothing after it is one charter's."""
    where = district()
    fork = CharterFork(2, frozenset({format_digest(ONE), format_digest(OTHER)}))
    where.charter_forks = (CharterFork(3, frozenset({format_digest(bytes(32)), format_digest(OTHER)})), fork)
    finding: Finding = only(where, DAY)
    assert (finding.bureau, finding.references, finding.standing) == (HOLDERS, (), Standing.PROVEN)
    assert where.sentence(finding, "en") == (
        f"the holders of the charter's keys signed two texts of version 2 of the charter: {DIGESTS} (proven)"
    )
    assert where.sentence(finding, "zh") == (
        f"章程密钥持有人 签署了两个不同文本，章程第 2 版：{DIGESTS.replace(', ', '、')}（已证明）"
    )


def test_versions_as_this_client_knows_them_trip_nothing() -> None:
    """Each in its turn; and where nothing is known of the charter's versions, nothing is held against them."""
    where = district()
    for version, digest in ((1, bytes(32)), (2, ONE)):
        adopts(where, version, digest)
    assert not where.audit(DAY)
    where.versions = {}
    adopts(where, 2, OTHER)
    assert not where.audit(DAY)


def test_a_later_version_is_news_and_no_fork() -> None:
    """A bureau that adopted it first did what it should; the coverage says that this client goes by an older one."""
    where = district()
    for version in (3, 4):
        adopts(where, version, OTHER)
    found, _, coverage = where.look(DAY)
    assert not found
    said = "market goes by version 4 of the charter, which this client does not know."
    assert said in list(covered(Words(where.charter, "en"), coverage))
