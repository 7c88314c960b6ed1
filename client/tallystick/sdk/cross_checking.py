"""What an audit holds ledgers against, besides what their own nodes show: what this client kept, and what others hold.

A liar shows an auditor of its own ledger what it likes, and does not choose what others were shown. So every node of
the charter is asked for the checkpoints it holds, once those were taken that the audit reads under; each is held
against these (`sdk.gossip`). Evidence ends the reading of that ledger, and of no other; what nobody joins to it is an
observation, where the ledger's own node was there to be asked. Who does not answer is named in the coverage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from tallystick.audit.coverage import CharterFork, Coverage, LedgerCoverage
from tallystick.audit.finding import OF_CHECKPOINTS, Finding
from tallystick.audit.strand import Fault
from tallystick.audit.suspension import suspensions
from tallystick.core.checkpoint import Checkpoint, format_checkpoint, open_checkpoint
from tallystick.core.equivocation import forked, verify_equivocation
from tallystick.core.errors import TallystickError, VerificationFailed
from tallystick.core.limits import WITNESSES_MAX
from tallystick.core.news import ledger_number
from tallystick.sdk.aside import judged_aside
from tallystick.sdk.charter_files import forks_among, known_versions
from tallystick.sdk.gossip import Heard, gossip
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.profile import Profile
from tallystick.sdk.trust_store import TrustStore
from tallystick_proto.v1.gossip_pb2 import SwapAnswer
from tallystick_proto.v1.witness_pb2 import CosignedAnswer


def know_charter(profile: Profile, coverage: Coverage) -> None:
    """Note the versions of the charter that this client knows, and what it was shown against them."""
    known = known_versions(profile.charter_path, profile.charter_digest)
    coverage.versions = {version.number: version.digest for version in known}
    coverage.suspensions = tuple(suspensions(known))
    later = [version.note for version in profile.heard_versions().later]
    forks = forks_among(profile.charter_path, known, [*later, *trust_of(profile).charter_forks()])
    coverage.charter_forks = tuple(CharterFork(number, digests) for number, digests in forks.items())


def cross_check(ledgers: Ledgers, coverage: Coverage) -> list[Fault]:
    """Hold the checkpoints in a coverage against what every node holds; what nobody joins to them."""
    read = [ledger for ledger in coverage.ledgers if ledger.checkpoint is not None]
    for ledger in read:
        _attempt(ledger, ledgers[ledger.bureau].remember)
    cosigned = {each.origin: _cosigned(ledgers, each, each.checkpoint) for each in read if each.checkpoint is not None}
    heard = gossip(ledgers.profile, cosigned)
    answered = {each.node.id: each.answer for each in heard.asked if each.error is None}
    coverage.silent_nodes = tuple(each.node.id for each in heard.asked if each.error is not None)
    for ledger in coverage.ledgers:
        others = [answer for node, answer in answered.items() if node != ledger.bureau]
        ledger.compared = sum(_speaks_of(answer, ledger_number(ledger.origin)) for answer in others)
    for ledger in read:
        _attempt(ledger, ledgers[ledger.bureau].check_evidence)
    there = [each for each in read if each.checkpoint is not None and not ledgers[each.bureau].keeper]
    return [fault for ledger in there for fault in _suspicions(ledger, heard)]


def recall(ledgers: Ledgers, coverage: Coverage) -> None:
    """Take up what this client kept: evidence against a key of a ledger, and checkpoints that no key vouches for now.

    Raises ConfigInvalid where that cannot be read.
    """
    trust = trust_of(ledgers.profile)
    for ledger in coverage.ledgers:
        bureau = ledgers.charter.by_id(ledger.bureau)
        for _, evidence in trust.evidence(bureau) if ledger.evidence is None else ():
            # Against the key in use it was read, and refused, as its ledger was; and what a key that was given up
            # signed beyond its floor proves nothing by this version of the charter.
            with suppress(VerificationFailed):
                _, proven = verify_equivocation(evidence, ledgers.charter)
                ledger.evidence = forked(ledger.bureau, evidence, proven.key)
                break
        if ledger.checkpoint is not None:
            with suppress(VerificationFailed):  # what no key of the ledger ever signed proves nothing
                aside = judged_aside(ledgers[ledger.bureau], trust, ledgers.charter)
                ledger.acknowledged = tuple(judged for _, judged in aside)


def name_checkpoints(ledgers: Ledgers, coverage: Coverage, findings: Iterable[Finding]) -> None:
    """Note with each finding of what a node showed as its ledger the checkpoints of that which this client holds."""
    contradicting = {ledger.bureau: ledger.contradicting for ledger in coverage.ledgers}
    trust = trust_of(ledgers.profile)
    for finding in findings:
        if finding.rule in OF_CHECKPOINTS:
            bureau = ledgers.charter.by_id(finding.bureau)
            notes = [trust.load(bureau.origin), contradicting[bureau.id]]
            notes += [note for _, note in trust.conflicts(bureau.origin)]
            opened = set()
            for note in filter(None, notes):
                with suppress(VerificationFailed):  # which was kept under an earlier version of the charter
                    opened.add(open_checkpoint(note, bureau.ledger_verifier, bureau.ends))
            finding.checkpoints = tuple(sorted(opened, key=lambda each: (each.size, each.root)))


def trust_of(profile: Profile) -> TrustStore:
    """What a profile's client keeps."""
    return profile.trust_store


def _cosigned(ledgers: Ledgers, ledger: LedgerCoverage, checkpoint: Checkpoint) -> list[bytes]:
    """Notes of a checkpoint with what is shown of its cosignatures, so that who cosigned another one too is named."""
    reader = ledgers[ledger.bureau]
    try:
        answer = reader.sources.wire.cosigned() if ledgers.charter.witnesses_of(reader.bureau) else CosignedAnswer()
    except TallystickError:
        return []
    begins = f"{format_checkpoint(checkpoint)}\n".encode()
    return [note for note in (answer.witnessed, *answer.newest[:WITNESSES_MAX]) if note.startswith(begins)]


def _speaks_of(answer: SwapAnswer, number: int) -> bool:
    return number in answer.proven or any(line.ledger == number and line.root for line in answer.line)


def _suspicions(ledger: LedgerCoverage, heard: Heard) -> Iterator[Fault]:
    for each in heard.suspicions:
        if each.bureau == ledger.bureau:
            said = (
                f"nobody joins a checkpoint of {each.size} entries to the {ledger.size} it shows; kept in {each.path}"
            )
            yield Fault("unreconciled", ledger.bureau, f"{ledger.bureau}#{max(each.size - 1, 0)}", said)


def _attempt(ledger: LedgerCoverage, call: Callable[[], object]) -> None:
    """What fails ends the reading of that ledger alone."""
    try:
        call()
    except TallystickError as error:
        ledger.fail(error)
        ledger.checkpoint = None
