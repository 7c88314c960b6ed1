"""Catalogue: `tally declare` and `tally provide`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command

if TYPE_CHECKING:
    from tallystick.sdk.receipt import Receipt

SENSITIVITIES = ("neither", "personal", "secret")


@click.command()
@click.argument("code")
@click.option("--title", required=True, help="What the resource is called.")
@click.option("--scheme", required=True, help="The scheme its code belongs to, as in gb.21063-4.")
@click.option(
    "--sharing",
    required=True,
    type=click.Choice(["unconditional", "conditional", "withheld"]),
    help="Its sharing class.",
)
@click.option("--public", is_flag=True, help="It is open to the public too.")
@click.option("--basis", help="Why it is withheld.")
@click.option("--condition", help="On what condition it is shared.")
@click.option("--level", type=click.Choice(["general", "important", "core"]), help="Its data level.")
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME[:TYPE[:SENSITIVITY]]",
    help="One of its fields; personal, secret or neither.",
)
@click.option("--cycle", help="How often it is updated: irregular, or a duration as R/P1M.")
@click.option("--steward", help="The unit in charge of it.")
@click.option("--premise", "premises", multiple=True, help="What its use presupposes; may be given again.")
@click.option("--method", "methods", multiple=True, help="How it is shared; may be given again.")
@command
def declare(
    session: Session,
    code: str,
    title: str,
    scheme: str,
    sharing: str,
    public: bool,
    basis: str | None,
    condition: str | None,
    level: str | None,
    fields: tuple[str, ...],
    cycle: str | None,
    steward: str | None,
    premises: tuple[str, ...],
    methods: tuple[str, ...],
) -> None:
    """Declare a resource in this bureau's catalogue; a later declaration supersedes an earlier one.

    Nothing is recorded where exactly this is declared already.

    \b
    Example:
      tally declare SCJG-0012 --title "Business licences" --scheme gb.21063-4 --sharing conditional \\
          --condition "joint supervision only" --field name:text --field owner:text:personal
    """
    from tallystick.core.compose import compose
    from tallystick.sdk.standing import standing_of

    values: dict[str, object] = {
        "resource": code,
        "scheme": scheme,
        "title": title,
        "sharing": sharing,
        "public": public,
        "basis": basis,
        "condition": condition,
        "level": level,
        "fields": [_field(given) for given in fields],
        "update_cycle": cycle,
        "steward": steward,
        "premises": list(premises),
        "methods": list(methods),
    }
    with session.node() as node:
        body = compose("ResourceDeclared", node.actor, values).statement.resource_declared
        standing = standing_of(node, code)
        if standing is not None and standing.declared == body:
            reference = f"{node.bureau.id}#{standing.index}"
            output = session.output
            if output.json:
                output.document({"recorded": False, "reference": reference, "index": standing.index, "resource": code})
            else:
                output.line(
                    output.say(
                        f"{reference}  already declared so; nothing was recorded", f"{reference}  已如此编目，未再记录"
                    )
                )
            return
        receipt = node.record("ResourceDeclared", **values)
    _print_receipt(session, receipt, {"resource": code}, code)


@click.command()
@click.argument("code")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--version", help="What the version is called; else the first digits of its digest.")
@click.option("--rows", type=click.IntRange(min=0), help="How many rows it has.")
@click.option(
    "--from",
    "derived_from",
    multiple=True,
    metavar="CODE@VERSION",
    help="A version it was made from; may be given again.",
)
@click.option("--classified", is_flag=True, help="It was classified.")
@click.option("--cleaned", is_flag=True, help="It was cleaned.")
@click.option("--check", "checks", multiple=True, help="A check it passed; may be given again.")
@click.option("--desensitised", metavar="METHOD", help="How personal fields were made unrecognisable.")
@click.option(
    "--desensitised-field",
    "desensitised_fields",
    multiple=True,
    metavar="NAME",
    help="Which field; may be given again.",
)
@command
def provide(
    session: Session,
    code: str,
    file: Path,
    version: str | None,
    rows: int | None,
    derived_from: tuple[str, ...],
    classified: bool,
    cleaned: bool,
    checks: tuple[str, ...],
    desensitised: str | None,
    desensitised_fields: tuple[str, ...],
) -> None:
    """Record a version of a resource from its file. The file is hashed here, and the data never leaves.

    Only the digest of a resource declared `unconditional` is recorded in the clear. Any other is salted, so that nobody
    can guess the data from it; the salt is kept in this client's state folder and travels with the data.

    \b
    Example:
      tally provide SCJG-0012 licences.parquet --version 2027-03 --rows 41200 --cleaned
    """
    from tallystick.cli.output import progress_bar
    from tallystick.core.identifiers import check_resource_code
    from tallystick.sdk.salts import SaltStore
    from tallystick.sdk.standing import standing_of

    if desensitised_fields and desensitised is None:
        raise click.UsageError("--desensitised-field needs --desensitised METHOD", click.get_current_context())
    check_resource_code(code)
    quality = {"classified": classified, "cleaned": cleaned, "checks": list(checks)}
    size = file.stat().st_size if file.is_file() else 0
    output = session.output
    with session.node() as node:
        declared = standing_of(node, code) is not None
        with progress_bar(file.name, size, of_bytes=True) as progress:
            receipt = node.provide(
                code,
                file=file,
                version=version,
                rows=rows,
                derived_from=list(derived_from),
                quality=quality if any(quality.values()) else None,
                desensitised={"method": desensitised, "fields": list(desensitised_fields)} if desensitised else None,
                progress=progress,
            )
        digest = receipt.statement.version_provided.digest
        salted = digest.WhichOneof("of") == "committed"
        salts = SaltStore(session.profile.state / "salts")
        salt = salts.path_of(node.bureau.id, receipt.version_ref).resolve() if salted else None
    what = {
        "version": receipt.version_ref,
        "digest": f"committed:{digest.committed.hex()}" if salted else f"blake3:{digest.blake3.hex()}",
        "size": receipt.statement.version_provided.size,
        "declared": declared,
        "salt_kept_in": str(salt) if salt else None,
    }
    _print_receipt(session, receipt, what, f"{receipt.version_ref}  {what['digest']}")
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
                f"The digest is salted. The salt is kept in {salt}; hand it over with the data.",
                f"摘要已加盐。盐值保存于 {salt}，请随数据一并交付。",
            )
        )


def _field(given: str) -> dict[str, object]:
    """A field of a resource from `name:type:sensitivity`; a name may hold no colon."""
    name, _, rest = given.partition(":")
    type_, _, sensitivity = rest.partition(":")
    if sensitivity and sensitivity not in SENSITIVITIES:
        raise click.UsageError(
            f"--field {given!r} ends in {sensitivity!r}; it takes one of {', '.join(SENSITIVITIES)}",
            click.get_current_context(),
        )
    return {"name": name, "type": type_, "sensitivity": sensitivity or "neither"}


def _print_receipt(session: Session, receipt: Receipt, what: dict[str, object], about: str) -> None:
    """Where a statement stands now."""
    output = session.output
    if output.json:
        output.document(
            {
                "recorded": True,
                "reference": receipt.reference,
                "index": receipt.index,
                "standing": receipt.standing,
                **what,
            }
        )
        return
    standing = output.say(
        {"recorded": "recorded; no witness has seen it yet"}.get(receipt.standing, receipt.standing),
        {"recorded": "已入账，尚未见证", "witnessed": "已入账并经见证"}.get(receipt.standing, receipt.standing),
    )
    output.line(f"{receipt.reference}  {standing}  {about}")
