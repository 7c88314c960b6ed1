"""Prove: `tally prove` writes an evidence file, `tally verify` checks one with the charter and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command, force, new_file
from tallystick.cli.references import EntryReference
from tallystick.cli.show import disclose_option, disclosed_fields
from tallystick.core.errors import CharterMismatch, MalformedProof, SignatureInvalid, VerificationFailed
from tallystick.core.limits import EVIDENCE_BYTES_MAX
from tallystick.sdk.arguments import FILE, Digest

if TYPE_CHECKING:
    from tallystick.core.charter import Charter
    from tallystick.core.evidence import Proven

_STANDARD = Path("-")


@click.command()
@click.argument("reference", metavar="REF", type=EntryReference())
@new_file("Where to; - for standard output", required=True)
@force
@disclose_option
@command
def prove(session: Session, reference: str, target: Path, force: bool, disclose: str | None) -> None:
    """Write an evidence file for one entry: with the charter it proves, offline, that it was recorded and by whom.

    Whose cosignatures it carries is said. Where the ledger's node does not show a quorum's, its witnesses are asked.

    \b
    Examples:
      tally prove taxation#1088 -o received.tlog-proof
      tally prove taxation#1088 -o lookup.tlog-proof --disclose subject
    """
    from tallystick.audit.words import Words
    from tallystick.core.evidence import verify_presence
    from tallystick.sdk.files import check_new, write_whole

    if target != _STANDARD:
        check_new(target, force=force)
    with session.ledgers() as ledgers:
        reader, _ = ledgers.locate(reference)
        evidence = ledgers.prove(reference, disclosed_fields(ledgers, reference, disclose))
        proven = verify_presence(evidence, ledgers.charter)
        words, keeper = Words(ledgers.charter, session.language), reader.keeper
        standing = _standing(session, evidence, proven, ledgers.charter)
    from_copy = words.shown_by(proven.bureau.id, keeper, reader.trusted.size) if keeper else ""
    if target == _STANDARD:
        sys.stdout.buffer.write(evidence)
        if from_copy:
            session.output.note(from_copy)
        if not standing["witnessed"]:
            session.output.note(standing["standing"])
        return
    write_whole(target, evidence, 0o644 if disclose is None else 0o600)
    output = session.output
    if output.json:
        said = {"reference": reference, "file": str(target), "bytes": len(evidence), "suspect": proven.suspect}
        output.document(said | {"keeper": keeper or None} | standing)
        return
    output.line(output.say(f"{reference}  evidence in {target}", f"{reference}  证据已写入 {target}"))
    if from_copy:
        output.line(from_copy)
    output.line(standing["standing"])
    if proven.suspect:
        output.line(
            output.say(
                "Suspect: signed by a key that was compromised by then, as the revocation in the file says.",
                "存疑：签署密钥其时已可疑，见证据所附注销条目。",
            )
        )


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--charter",
    "charter_path",
    metavar="FILE",
    type=FILE,
    help="The charter's note; else the profile's.",
)
@click.option(
    "--charter-digest", metavar="DIGEST", type=Digest(), help="Its digest, from a hand you trust; else the profile's."
)
@command
def verify(session: Session, file: Path, charter_path: Path | None, charter_digest: str | None) -> None:
    """Verify an evidence file, offline: the file, the charter and its digest are all it takes. FILE may be -.

    It proves that an entry was recorded and by whom, or that the key of a ledger signed two histories. Whose
    cosignatures an entry's file carries is said, and whether they are a quorum under this charter. Exits with 5 where
    the file does not prove what it claims. An expired charter still verifies.

    \b
    Example:
      tally verify received.tlog-proof --charter charter.note --charter-digest blake3:9f2c…
    """
    from tallystick.cli.acknowledged import lost_presence
    from tallystick.cli.describe import Describer
    from tallystick.cli.equivocation import print_equivocation
    from tallystick.cli.show import print_proven
    from tallystick.core.equivocation import HEADER, verify_equivocation
    from tallystick.core.evidence import verify_presence
    from tallystick.core.tlog_proof import HEADER as PROOF_HEADER

    charter = _charter(session, charter_path, charter_digest)
    describer = Describer(charter, session.language, session.zone)
    evidence = _read(file)
    try:
        if evidence.startswith(HEADER.encode()):
            print_equivocation(session, describer, *verify_equivocation(evidence, charter))
        elif not evidence.startswith(PROOF_HEADER.encode()):
            raise MalformedProof("it is no evidence file", expected=f"a first line {PROOF_HEADER} or {HEADER}")
        else:
            proven = verify_presence(evidence, charter)
            print_proven(session, describer, proven, _standing(session, evidence, proven, charter))
    except VerificationFailed as error:
        lost = lost_presence(session, evidence, charter)
        why = error if lost is None else SignatureInvalid(lost, expected="a checkpoint that is vouched for")
        raise why.at(f"{file} is not proven") from None


def _standing(session: Session, evidence: bytes, proven: Proven, charter: Charter) -> dict[str, Any]:
    """Which of the ledger's witnesses cosigned the file's checkpoint, and whether the charter calls them a quorum.

    Raises SignatureInvalid where a cosignature does not hold.
    """
    from tallystick.audit.words import Words
    from tallystick.core.tlog_proof import parse_tlog_proof
    from tallystick.core.witnessing import open_cosigned

    found = open_cosigned(parse_tlog_proof(evidence).checkpoint, charter, proven.bureau)
    cosigned_by = [cosigner.witness.id for cosigner in found.cosigners]
    quorum = charter.quorum_of(proven.bureau)
    enough = None if quorum is None else found.enough(charter)
    return {
        "witnessed": enough,
        "cosigned_by": cosigned_by,
        "standing": Words(charter, session.language).cosigned(cosigned_by, found.count, quorum),
    }


def _charter(session: Session, path: Path | None, digest: str | None) -> Charter:
    """The charter to verify by. What is not given is the profile's, and then the profile must be there."""
    from tallystick.sdk.profile import load_charter

    if path is not None:
        return load_charter(path, digest if digest is not None else session.profile.charter_digest)
    if digest is not None and session.profile.charter_digest != digest:
        raise CharterMismatch(
            f"the profile's charter has digest {session.profile.charter_digest}",
            expected=f"{digest}, or --charter FILE",
        )
    return session.profile.charter


def _read(file: Path) -> bytes:
    from tallystick.sdk.files import read_some

    if file == _STANDARD:
        return sys.stdin.buffer.read(EVIDENCE_BYTES_MAX + 1)
    return read_some(file, EVIDENCE_BYTES_MAX, "an evidence file")
