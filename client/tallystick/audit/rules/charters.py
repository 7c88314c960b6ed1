"""Rules on the charter itself: two texts of one version, by those who signed both or by who goes by the other."""

from __future__ import annotations

from tallystick.audit.coverage import CharterFork
from tallystick.audit.finding import Fact, Found, Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.charters import OtherText
from tallystick.core.identifiers import HOLDERS


@rule(
    named="章程分叉",
    en="{bureau} {what} of version {version} of the charter: {digests}",
    zh="{bureau} {what}，章程第 {version} 版：{digests}",
)
def charter_fork(fork: CharterFork | OtherText, seen: Seen) -> Findings:
    """Two texts of one version. Proven of the holders of the charter's keys where their signatures are on both; that a
    ledger adopted another text than this client knows is its bureau's word alone.
    """
    if isinstance(fork, CharterFork):
        facts: dict[str, Fact] = {"what": "signed-two-texts", "version": fork.version, "digests": fork.digests}
        yield Found(HOLDERS, (), seen.as_of.at_us - 1, facts)
    else:
        said = fork.entry.said
        yield fork.entry.finding(
            standing=Standing.ONE_SIDE,
            once=said.version,
            what="goes-by-another-text",
            version=said.version,
            digests=fork.digests,
        )
