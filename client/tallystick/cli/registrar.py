"""Trust: `tally identity register` and `revoke`, what a bureau's registrar records of its actors' keys.

Both stand on the bureau's ledger, signed by the registrar's key, which the charter names.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command
from tallystick.cli.references import Actor, Label, PublicKey
from tallystick.core.errors import NotFound, Usage
from tallystick.sdk.arguments import FILE, TEXT

if TYPE_CHECKING:
    from datetime import tzinfo

    from tallystick.core.actors import Registered
    from tallystick.sdk.node import Node


@click.command(short_help="Register a key, from its request.")
@click.argument("request", metavar="REQUEST", type=FILE)
@click.option(
    "--system", metavar="LABEL", type=Label(), help="The system it is the key of, as registered in the inventory."
)
@click.option("--name-from-stdin", "named", is_flag=True, help="Commit to the person's name, a line of standard input.")
@click.option("--registrar-key", metavar="FILE", type=FILE, help="The registrar's key; else the profile's.")
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


@click.command(short_help="Revoke an actor's key.")
@click.argument("actor", type=Actor())
@click.option(
    "--key", metavar="PUBLIC", type=PublicKey(), help="Which of its keys, in hex; needed where it has several."
)
@click.option("--compromised-since", metavar="TIME", type=TEXT, help="From when on what it signed is in doubt.")
@click.option("--reason", type=TEXT, help="Why.")
@click.option("--registrar-key", metavar="FILE", type=FILE, help="The registrar's key; else the profile's.")
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
    from tallystick.cli.fields import check_value
    from tallystick.cli.registration import actors_on
    from tallystick.core.identifiers import split_actor
    from tallystick.core.kinds import BY_NAME

    check_value(BY_NAME["ActorRevoked"], "reason", reason)
    bureau = session.profile.charter.ledger_of(split_actor(actor).bureau)
    since = None if compromised_since is None else _past(compromised_since, session.zone)
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


def _past(text: str, zone: tzinfo) -> int:
    """A moment that has come, by this machine's clock. Raises Usage."""
    from tallystick.cli.log_query import parse_moment
    from tallystick.core.moments import moment_text
    from tallystick.sdk.clock import now_us

    now, at_us = now_us(), parse_moment(text, zone, "--compromised-since")
    if at_us > now:
        raise Usage(
            f"{moment_text(at_us, zone)} is yet to come",
            where="--compromised-since",
            expected=f"a moment up to now, {moment_text(now, zone)}",
        )
    return at_us


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
    wire = Wire(bureau, credentials=profile.credentials, patience=profile.patience)
    return Node(wire, profile.trust_store, f"{bureau.id}:registrar", key, profile.state)


def _the_key(actors: list[Registered], actor: str, key: str | None) -> Registered:
    """The one key that is meant. Raises NotFound, or Usage where several could be."""
    own = [found for found in actors if found.actor == actor and found.index is not None]
    if key is not None:
        own = [found for found in own if found.key.hex() == key.lower()]
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
