"""Trust: `tally identity`, the keys that a bureau's actors sign with.

A key is made where it will be used and never leaves. What leaves is a *request*, a file that `registration` specifies:
the public key, and the key's own signature over who will use it and in which role. The bureau's registrar records it on
the bureau's ledger, signed by the registrar's key, which the charter names.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.certificate import certificate_document, certificate_facts, print_certificate, renew
from tallystick.cli.options import Session, command, complete_bureau, shared_options
from tallystick.core.errors import NotFound, Usage

if TYPE_CHECKING:
    from tallystick.core.actors import Registered
    from tallystick.sdk.node import Node


@click.group()
@shared_options
def identity() -> None:
    """The keys that a bureau's actors sign with: make one, have it registered, revoke it. And the certificate that
    nodes are shown.
    """


identity.add_command(renew)


@identity.command(short_help="Make a key, and the request to register it.")
@click.option("--actor", required=True, metavar="NAME", help="Who will sign: clerk, or taxation:clerk.")
@click.option(
    "--role",
    type=click.Choice(["officer", "system"]),
    default="officer",
    show_default=True,
    help="A person or a system.",
)
@click.option(
    "--dir", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Where to; else `keys` beside the profile."
)
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


@identity.command(short_help="Register a key, from its request.")
@click.argument("request", metavar="REQUEST", type=click.Path(path_type=Path))
@click.option("--system", metavar="LABEL", help="The system it is the key of, as registered in the inventory.")
@click.option("--name-from-stdin", "named", is_flag=True, help="Commit to the person's name, a line of standard input.")
@click.option(
    "--registrar-key", metavar="FILE", type=click.Path(path_type=Path), help="The registrar's key; else the profile's."
)
@command
def register(session: Session, request: Path, system: str | None, named: bool, registrar_key: Path | None) -> None:
    """Register an actor's key on its bureau's ledger, from the REQUEST that `tally identity init` wrote.

    Signed by the registrar. Nothing is recorded where the key is registered already.

    \b
    Example:
      tally identity register clerk.request.json --registrar-key registrar.key
    """
    from tallystick.cli.fields import line_of_stdin
    from tallystick.cli.registration import actors_on, read_request
    from tallystick.core.compose import Sensitive

    asked = read_request(request)
    name = Sensitive(line_of_stdin("name")) if named else None
    output = session.output
    with _registrar(session, asked.origin, registrar_key) as node:
        known = actors_on(node).by_key(asked.key)
        if known is not None and known.actor == asked.actor and known.revoked is None:
            _print_standing(session, node.bureau.id, known, recorded=False)
            return
        receipt = node.register_actor(
            system,
            registered=asked.actor,
            key=asked.key,
            role=asked.role,
            possession=asked.possession,
            name=name,
        )
    if output.json:
        output.document(
            {
                "recorded": True,
                "reference": receipt.reference,
                "actor": asked.actor,
                "role": asked.role,
                "key": asked.key.hex(),
            }
        )
    else:
        output.line(
            output.say(
                f"{receipt.reference}  {asked.actor} ({asked.role}) may sign with {asked.key.hex()} from here on",
                f"{receipt.reference}  {asked.actor} 自下一条起可用公钥 {asked.key.hex()} 签署",
            )
        )


@identity.command(short_help="Revoke an actor's key.")
@click.argument("actor")
@click.option("--key", metavar="PUBLIC", help="Which of its keys, in hex; needed where it has several.")
@click.option("--compromised-since", metavar="TIME", help="From when on what it signed is in doubt.")
@click.option("--reason", help="Why.")
@click.option(
    "--registrar-key", metavar="FILE", type=click.Path(path_type=Path), help="The registrar's key; else the profile's."
)
@command
def revoke(
    session: Session,
    actor: str,
    key: str | None,
    compromised_since: str | None,
    reason: str | None,
    registrar_key: Path | None,
) -> None:
    """Revoke an actor's key: what it signed before stays valid, what it signs later is refused.

    \b
    Example:
      tally identity revoke taxation:clerk --reason "left the bureau"
    """
    from tallystick.cli.log_query import parse_moment
    from tallystick.cli.registration import actors_on
    from tallystick.core.identifiers import split_actor

    bureau = session.profile.charter.ledger_of(split_actor(actor).bureau)
    since = None if compromised_since is None else parse_moment(compromised_since, session.zone)
    with _registrar(session, bureau.origin, registrar_key) as node:
        registered = _the_key(list(actors_on(node)), actor, key)
        if registered.revoked is not None:
            _print_standing(session, bureau.id, registered, recorded=False)
            return
        assert registered.index is not None
        receipt = node.revoke_actor(
            node.entry(registered.index).ref, revoked=actor, key=registered.key, compromised_since=since, reason=reason
        )
    output = session.output
    if output.json:
        output.document({"recorded": True, "reference": receipt.reference, "actor": actor, "key": registered.key.hex()})
    else:
        output.line(
            output.say(
                f"{receipt.reference}  the key {registered.key.hex()} of {actor} signs nothing from here on",
                f"{receipt.reference}  {actor} 的公钥 {registered.key.hex()} 自此注销",
            )
        )


@identity.command("show", short_help="Show your certificate, and who may sign on a ledger.")
@click.argument("bureau", required=False, shell_complete=complete_bureau)
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
        f"The ledger of {name} up to {size} entries, as {by_en}: each registration was verified, "
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


def _registrar(session: Session, origin: str, key_path: Path | None) -> Node:
    """The node of a ledger, under its registrar's key. Raises NotFound for an origin the charter does not know."""
    from tallystick.sdk.key_file import load_key
    from tallystick.sdk.node import Node
    from tallystick.sdk.wire import Wire

    profile = session.live_profile
    bureau = profile.charter.by_origin(origin)
    key = load_key(key_path, session.passphrase) if key_path is not None else profile.registrar_key()
    if key.public != bureau.registrar_public:
        raise Usage(
            f"this is not the registrar's key of {bureau.id}",
            expected=f"the key whose public half is {bureau.registrar_public.hex()}",
        )
    return Node(
        Wire(bureau, credentials=profile.credentials), profile.trust_store, f"{bureau.id}:registrar", key, profile.state
    )


def _the_key(actors: list[Registered], actor: str, key: str | None) -> Registered:
    """The one key that is meant. Raises NotFound, or Usage where several could be."""
    own = [found for found in actors if found.actor == actor and found.index is not None]
    if key is not None:
        own = [found for found in own if found.key.hex() == key.strip().lower()]
    if not own:
        raise NotFound(
            f"no key of {actor} is registered" + ("" if key is None else " that is this one"),
            expected="an actor of this ledger",
        )
    valid = [found for found in own if found.revoked is None] or own[-1:]
    if len(valid) > 1:
        raise Usage(
            f"{actor} has {len(valid)} keys", expected="--key, one of " + ", ".join(found.key.hex() for found in valid)
        )
    return valid[0]


def _print_standing(session: Session, bureau: str, found: Registered, *, recorded: bool) -> None:
    """That nothing was recorded, since it stands so already."""
    at = found.index if found.revoked is None else found.revoked
    reference = f"{bureau}#{at}"
    output = session.output
    if output.json:
        output.document({"recorded": recorded, "reference": reference, "actor": found.actor, "key": found.key.hex()})
    elif found.revoked is None:
        output.line(
            output.say(f"{reference}  registered already; nothing was recorded", f"{reference}  已登记，未再记录")
        )
    else:
        output.line(output.say(f"{reference}  revoked already; nothing was recorded", f"{reference}  已注销，未再记录"))


def _within(path: Path, folder: Path) -> str:
    """The path as a profile in `folder` names it."""
    absolute = path.absolute()
    base = folder.absolute()
    return str(absolute.relative_to(base)) if absolute.is_relative_to(base) else str(absolute)
