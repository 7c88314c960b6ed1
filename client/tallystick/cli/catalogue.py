"""Catalogue: what a bureau has, and its versions: `tally declare`, `withdraw`, `provide`, `recall`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tallystick.cli.fields import option_of, uses_of, values_of
from tallystick.cli.options import Session, command
from tallystick.cli.recording import Form, Recording, print_receipt, recording
from tallystick.cli.references import Code, Label
from tallystick.core.kinds import BY_NAME
from tallystick.sdk.arguments import FILE, TEXT

_DECLARED = BY_NAME["ResourceDeclared"]
_PROVIDED = BY_NAME["VersionProvided"]
# `provide` finds out or asks for these in its own way.
_OF_THE_FILE = ("version", "digest", "size", "quality", "desensitised")


@click.command(cls=Recording, kind=_DECLARED.name, params=Form(_DECLARED, "resource").parameters())
@command
def declare(session: Session, /, resource: str, **given: Any) -> None:
    """Declare a resource in this bureau's catalogue; a later declaration supersedes an earlier one.

    Nothing is recorded where exactly this is declared already.

    \b
    Example:
      tally declare SCJG-0012 --title "Business licences" --scheme gb.21063-4 --sharing conditional \\
          --condition "joint supervision only" --field name:text --field owner:text:personal
    """
    from tallystick.core.compose import compose
    from tallystick.sdk.standing import standing_of

    values = values_of(_DECLARED, session, {"resource": resource, **given})
    with session.node() as node:
        body = compose("ResourceDeclared", node.actor, values).statement.resource_declared
        standing = standing_of(node, resource)
        if standing is not None and standing.declared == body:
            reference = f"{node.bureau.id}#{standing.index}"
            output = session.output
            if output.json:
                output.document(
                    {"recorded": False, "reference": reference, "index": standing.index, "resource": resource}
                )
            else:
                output.line(
                    output.say(
                        f"{reference}  already declared so; nothing was recorded", f"{reference}  已如此编目，未再记录"
                    )
                )
            return
        receipt = node.record("ResourceDeclared", **values)
    print_receipt(session, receipt, {"resource": resource}, resource)


withdraw = recording(
    "withdraw",
    "ResourceWithdrawn",
    """Withdraw a resource from this bureau's catalogue. What was recorded of it stays.

    \b
    Example:
      tally withdraw SCJG-0012 --reason "merged into SCJG-0013"
    """,
)

recall = recording(
    "recall",
    "VersionRecalled",
    """Recall a version: whoever holds it, or anything made from it, has to say what was done about it.

    \b
    Example:
      tally recall SCJG-0012@2027-03 --reason "duplicate licences" --field owner --replaced-by SCJG-0012@2027-03b
    """,
)


@click.command(
    cls=Recording,
    kind=_PROVIDED.name,
    params=[option_of(_PROVIDED, use, required=False) for use in uses_of(_PROVIDED, without=_OF_THE_FILE)],
)
@click.argument("code", type=Code())
@click.argument("file", type=FILE)
@click.option("--version", type=Label(), help="What the version is called; else the first digits of its digest.")
@click.option("--classified", is_flag=True, help="It was classified.")
@click.option("--cleaned", is_flag=True, help="It was cleaned.")
@click.option("--check", "checks", multiple=True, type=TEXT, help="A check it passed; may be given again.")
@click.option("--desensitised", metavar="METHOD", type=TEXT, help="How personal fields were made unrecognisable.")
@click.option(
    "--desensitised-field",
    "desensitised_fields",
    multiple=True,
    metavar="NAME",
    type=TEXT,
    help="Which field; may be given again.",
)
@command
def provide(
    session: Session,
    /,
    code: str,
    file: Path,
    version: str | None,
    classified: bool,
    cleaned: bool,
    checks: tuple[str, ...],
    desensitised: str | None,
    desensitised_fields: tuple[str, ...],
    **given: Any,
) -> None:
    """Record a version of a resource from its file. The file is hashed here, and the data never leaves.

    Only the digest of a resource declared `unconditional` is recorded in the clear. Any other is salted, so that nobody
    can guess the data from it; the salt is kept in this client's state folder, sealed under the identity's key, and
    travels with the data.

    \b
    Example:
      tally provide SCJG-0012 licences.parquet --version 2027-03 --rows 41200 --cleaned
    """
    from tallystick.cli.output import progress_bar
    from tallystick.sdk.digests import size_of
    from tallystick.sdk.standing import standing_of

    if desensitised_fields and desensitised is None:
        raise click.UsageError("--desensitised-field needs --desensitised METHOD", click.get_current_context())
    quality = {"classified": classified, "cleaned": cleaned, "checks": list(checks)}
    given["quality"] = quality if any(quality.values()) else None
    given["desensitised"] = {"method": desensitised, "fields": list(desensitised_fields)} if desensitised else None
    values: dict[str, Any] = values_of(_PROVIDED, session, given)
    size = size_of(file)
    output = session.output
    with session.node() as node:
        declared = standing_of(node, code) is not None
        with progress_bar(file.name, size, of_bytes=True) as progress:
            receipt = node.provide(
                code,
                file=file,
                version=version,
                progress=progress,
                **values,
            )
        digest = receipt.statement.version_provided.digest
        salted = digest.WhichOneof("of") == "committed"
        salt = node.salts.path_of(node.bureau.id, receipt.version_ref).resolve() if salted else None
    what = {
        "version": receipt.version_ref,
        "digest": f"committed:{digest.committed.hex()}" if salted else f"blake3:{digest.blake3.hex()}",
        "size": receipt.statement.version_provided.size,
        "declared": declared,
        "salt_kept_in": str(salt) if salt else None,
    }
    print_receipt(session, receipt, what, f"{receipt.version_ref}  {what['digest']}")
    if not declared:
        output.note(
            output.say(
                f"{code} is not declared on this ledger. The version stands all the same; an audit reports it.",
                f"{code} 尚未编目。版本已记录，审计时将列为未编目。",
            )
        )
    if salt is not None and not output.json:
        output.note(
            output.say(
                f"The digest is salted. The salt is kept, sealed, in {salt}; what `tally send` prints hands it over.",
                f"摘要已加盐。盐值已密封保存于 {salt}，由 `tally send` 输出的凭据随数据交付。",
            )
        )
