"""Trust: `tally identity`, the keys that a bureau's actors sign with.

A key is made where it will be used and never leaves. What leaves is a *request*, a file that `registration` specifies:
the public key, and the key's own signature over who will use it and in which role. The bureau's registrar records it
(`registrar`).
"""

from __future__ import annotations

from pathlib import Path

import click

from tallystick.cli.certificate import certificate_document, certificate_facts, print_certificate, renew
from tallystick.cli.options import Session, command, shared_options
from tallystick.cli.references import BureauId, OwnActor
from tallystick.cli.registrar import register, revoke
from tallystick.core.counted import counted_entries
from tallystick.core.errors import Usage
from tallystick.sdk.arguments import FILE


@click.group()
@shared_options
def identity() -> None:
    """The keys that a bureau's actors sign with: make one, have it registered, revoke it. And the certificate that
    nodes are shown.
    """


for _command in (register, renew, revoke):
    identity.add_command(_command)


@identity.command(short_help="Make a key, and the request to register it.")
@click.option(
    "--actor", required=True, metavar="NAME", type=OwnActor(), help="Who will sign: clerk, or taxation:clerk."
)
@click.option(
    "--role",
    type=click.Choice(["officer", "system"]),
    default="officer",
    show_default=True,
    help="A person or a system.",
)
@click.option("--dir", "folder", metavar="DIR", type=FILE, help="Where to; else `keys` beside the profile.")
@click.option("--encrypt", is_flag=True, help="Put the key under a passphrase.")
@command
def init(session: Session, actor: str, role: str, folder: Path | None, encrypt: bool) -> None:
    """Make a key, and the request that the bureau's registrar needs to register it. An existing key is never replaced;
    a file NAME.key that names one in a device (`pkcs11:…`) is taken as it is.

    \b
    Example:
      tally identity init --actor taxation:clerk --dir keys
    """
    from tallystick.cli.registration import make_request
    from tallystick.core.identifiers import split_actor
    from tallystick.sdk.files import write_whole
    from tallystick.sdk.key_file import key_for

    profile = session.profile
    named = actor if ":" in actor else f"{profile.bureau.id}:{actor}"
    bureau_id, name = split_actor(named)
    bureau = profile.charter.ledger_of(bureau_id)
    if profile.has_bureau and bureau_id != profile.bureau.id:
        raise Usage(
            f"{named} is of another bureau than this profile, {profile.bureau.id}",
            where="--actor",
            expected=f"an actor of {profile.bureau.id}, or a profile of {bureau_id}",
        )
    if name in ("node", "registrar"):
        raise Usage(f"{named} signs with a key that the charter names", where="--actor", expected="another name")
    target = folder if folder is not None else profile.path.parent / "keys"
    key_path, request_path = target / f"{name}.key", target / f"{name}.request.json"
    if request_path.exists():
        raise Usage("there is a request already", where=str(request_path), expected="another --actor or --dir")
    key = key_for(key_path, session.passphrase, encrypt=encrypt)
    write_whole(request_path, make_request(bureau.origin, named, role, key))
    snippet = f'[identity]\nactor = "{named}"\nkey = "{_within(key_path, profile.path.parent)}"'
    if bureau.certificate_authority:
        snippet += f'\n\n[tls]\ncertificate = "tls/{name}.crt"\nkey = "tls/{name}.key"'
    output = session.output
    say = output.say
    if output.json:
        output.document(
            {
                "actor": named,
                "role": role,
                "public_key": key.public.hex(),
                "key_file": str(key_path),
                "encrypted": encrypt,
                "request": str(request_path),
            }
        )
        return
    output.facts(
        [
            (say("actor", "主体"), named),
            (say("public key", "公钥"), key.public.hex()),
            (say("key file", "私钥文件"), say(f"{key_path} (keep it to yourself)", f"{key_path}（切勿外传）")),
            (say("request", "登记申请"), say(f"{request_path} (for the registrar)", f"{request_path}（交登记员）")),
        ]
    )
    output.line()
    output.line(say("Once it is registered, this goes into the profile:", "登记之后，将下列内容写入配置："))
    for line in snippet.split("\n"):
        output.line(line)
    if bureau.certificate_authority:
        output.line()
        output.line(
            say("Its certificate: tally identity renew --request FILE", "其证书：tally identity renew --request FILE")
        )


@identity.command("show", short_help="Show your certificate, and who may sign on a ledger.")
@click.argument("bureau", required=False, type=BureauId())
@command
def show_(session: Session, bureau: str | None) -> None:
    """Show who may sign on a bureau's ledger: every registration and revocation its node answers with, each verified.
    Before that stands what nodes are shown of you, and until when. An auditor's profile names no bureau: without BUREAU
    it is that alone.

    \b
    Example:
      tally identity show taxation
    """
    from tallystick.cli.registration import actors_on
    from tallystick.core.kinds import role_label

    if bureau is None and not session.profile.has_bureau:
        print_certificate(session)
        return
    own = certificate_document(session)
    with session.ledgers() as ledgers:
        reader = ledgers[bureau or session.profile.bureau.id]
        actors = sorted(actors_on(reader), key=lambda found: (found.index is not None, found.index or 0))
        size = reader.trusted.size
    output = session.output
    say = output.say
    zh = output.language == "zh"
    name = reader.bureau.label("zh") if zh else reader.bureau.id
    by_en, by_zh = "answered by its node", "其节点应答"
    if reader.keeper:
        witness = session.profile.charter.by_id(reader.keeper).label("zh") if zh else reader.keeper
        by_en, by_zh = f"the copy of {witness} shows it, its node out of reach", f"{witness}所存副本（其节点无法连接）"
    coverage = say(
        f"The ledger of {name} up to {counted_entries(size)}, as {by_en}: each registration was verified, "
        "and one that was left out would not show.",
        f"{name}台账至第 {size} 条，据{by_zh}：所列登记逐条核验；若有遗漏，此处无从得见。",
    )
    if output.json:
        listed = [
            {
                "actor": found.actor,
                "role": role_label(found.role, "en"),
                "key": found.key.hex(),
                "registered_at": found.index,
                "revoked_at": found.revoked,
                "system": found.system or None,
            }
            for found in actors
        ]
        output.document(
            {"bureau": reader.bureau.id, "size": size, "actors": listed, "certificate": own, "coverage": coverage}
        )
        return
    if own is not None:
        output.facts(certificate_facts(session))
        output.line()
    header = (
        ("actor", "role", "key", "registered", "revoked")
        if output.language == "en"
        else ("主体", "角色", "公钥", "登记", "注销")
    )
    by_charter = say("by the charter", "章程载明")
    output.table(
        header,
        [
            (
                found.actor,
                role_label(found.role, output.language),
                found.key.hex(),
                by_charter if found.index is None else f"#{found.index}",
                "-" if found.revoked is None else f"#{found.revoked}",
            )
            for found in actors
        ],
    )
    output.line(coverage)


def _within(path: Path, folder: Path) -> str:
    """The path as a profile in `folder` names it."""
    absolute = path.absolute()
    base = folder.absolute()
    return str(absolute.relative_to(base)) if absolute.is_relative_to(base) else str(absolute)
