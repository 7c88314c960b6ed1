"""A kind's fields on the command line: options derived from what `core.kinds` says of it, and values read from them.

What an option is called follows from the field's label (one of several is called in the singular), what it takes from
the field's type and form, and whether it must be given from `required`. Only its help may say more than the label does.
A sensitive value is never an argument, where every user of the machine could see it and the shell would keep it: the
option is a flag, and the value is one line of standard input.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from google.protobuf.descriptor import FieldDescriptor

from tallystick.cli.log_query import parse_moment
from tallystick.cli.options import Session
from tallystick.cli.references import BureauId, EntryReference
from tallystick.core.compose import Sensitive, keywords_of
from tallystick.core.errors import InvalidStatement, Usage
from tallystick.core.kinds import Kind, Use, enum_of
from tallystick.sdk.arguments import TEXT

_SENSITIVITIES = ("neither", "personal", "secret")
_SOURCE = "source"  # set by importers alone: it marks what was imported

# Where the label is not what one would type.
_FLAGS = {"derived_from": "from", "update_cycle": "cycle", "with_bureau": "with"}
_METAVARS = {
    "actor": "ACTOR",
    "bureau_id": "BUREAU",
    "day": "DAY",
    "label": "LABEL",
    "moment": "TIME",
    "resource_code": "CODE",
    "scheme": "SCHEME",
    "update_cycle": "CYCLE",
    "version_ref": "CODE@VERSION",
}
_MESSAGE_METAVARS = {
    "Basis": "TEXT",
    "Digest": "DIGEST",
    "Document": "KIND[:NUMBER[:FILE]]",
    "Item": "NAME[:TYPE[:SENSITIVITY]]",
    "Ref": "REF",
}
# What helps more than the label; by the kind's name and the field's, or by the field's alone.
_HELP = {
    "about": "The entry it is about, as in market-regulation#12.",
    "accepted_on": "The day it was accepted.",
    "action": "What was done about it.",
    "answer": "Whether it is taken on.",
    "approved_on": "The day its project was approved.",
    "basis": "The ground it rests on.",
    "case": "The case it belongs to.",
    "condition": "On what condition it is shared.",
    "conditions": "A condition it is granted under",
    "corrected": "The version that puts it right.",
    "derived_from": "A version it was made from",
    "digest": "The digest of the data: blake3:… or committed:….",
    "documents": "A paper behind it, with its number and its file, which is hashed here",
    "duty": "Which duty.",
    "exchange": "The exchange, as it was handed over.",
    "fields": "One of the fields",
    "grant": "The grant it rests on, as in market-regulation#7.",
    "half": "The half it is about, as in market-regulation#9; else the one found by the exchange.",
    "happened_at": "When it happened, where that was not now: a day, or a time in ISO 8601.",
    "how": "How it ended.",
    "level": "Its data level.",
    "matter": "The approval item.",
    "methods": "How it is shared",
    "officer": "The person it was done for, by pseudonym.",
    "operations": "How many operations it carried out.",
    "operator": "Who runs it.",
    "other": "The bureau on the other side.",
    "outcome": "What came of it.",
    "person": "Read the person's name from standard input; only a commitment to it is recorded.",
    "premises": "What its use presupposes",
    "project": "The project it was built in.",
    "provider": "The bureau that provides it.",
    "public": "It is open to the public too.",
    "purpose": "What for, by its code.",
    "reason": "Why.",
    "replaced_by": "What replaces it.",
    "replaces": "The system it replaces.",
    "request_size": "How many bytes the request had.",
    "rows": "How many rows.",
    "scheme": "The scheme its code belongs to, as in gb.21063-4.",
    "scope": "Which part of it.",
    "sender": "The bureau it is from; else whichever recorded the sending.",
    "service": "The service it went through.",
    "sharing": "Its sharing class.",
    "side": "On which side it failed.",
    "since": "From which day on.",
    "size": "How many bytes.",
    "sort": "What is wrong with it.",
    "steward": "The unit in charge of it.",
    "subject": "Read whom or what was looked up from standard input; only a commitment to it is recorded.",
    "succeeds": "The assignment that this one takes over from, as in planning#4.",
    "system": "The system, as in the inventory.",
    "title": "What it is called.",
    "to": "The bureau it is addressed to.",
    "unit": "The unit within the bureau.",
    "until": "Up to which day.",
    "update_cycle": "How often it is updated: irregular, or a duration as R/P1M.",
    "users": "How many users it had.",
    "via": "The shared database it goes through.",
    "with_bureau": "The bureau it was shared with.",
    "words": "In words.",
    "DisclosureErased.basis": "The ground that the erasure rests on.",
    "AccessEnded.grant": "The grant or request.",
    "AccessGranted.to": "The bureau that may use it; else the one that asked.",
    "AccessRequested.fields": "One of the fields asked for",
    "DataSent.to": "The bureau it is sent to.",
    "DataSent.digest": "The digest of what is sent; else the one it was provided with.",
    "DataSent.size": "How many bytes are sent; else as many as were provided.",
    "DataReceived.digest": "The digest of what is no file: blake3:… or committed:….",
    "DataReceived.size": "How many bytes, of what is no file.",
    "DutyReleased.to": "The bureau it is handed over to.",
    "ExchangeFailed.reason": "Why, by its code.",
    "ResourceDeclared.basis": "Why it is withheld.",
    "ResourceDeclared.fields": "One of its fields; personal, secret or neither",
    "SystemRegistered.name": "What it is called.",
}


def flag_of(use: Use) -> str:
    """The option of a field, without its dashes."""
    words = _FLAGS.get(use.name) or use.en.replace(" ", "-")
    return words.removesuffix("s") if use.field.is_repeated else words


def uses_of(kind: Kind, without: Collection[str] = ()) -> list[Use]:
    """What a command of a kind asks for: what a statement of it can be given, citations in its body aside."""
    return [
        use
        for use in keywords_of(kind)
        if use.name not in without and use.name != _SOURCE and (use.in_head or _message(use) != "Ref")
    ]


def argument_of(use: Use, metavar: str | None = None, type_: click.ParamType[str] | None = None) -> click.Argument:
    """A field as a positional argument, of a type where it is not the field's own."""
    shown = metavar or _MESSAGE_METAVARS.get(_message(use)) or _METAVARS.get(use.options.format, "")
    return click.Argument(
        [use.name],
        type=type_ or _text(use),
        metavar=use.name.upper() if shown in ("", "LABEL") else shown,
    )


def option_of(kind: Kind, use: Use, *, required: bool, choices: Sequence[str] = ()) -> click.Option:
    """A field as an option. Of an enum, `choices` are the names that fit, the first of them the default."""
    flag, help_ = flag_of(use), _help(kind, use)
    if use.options.sensitive:
        return click.Option([f"--{flag}-from-stdin", use.name], is_flag=True, help=help_)
    if use.field.type == FieldDescriptor.TYPE_BOOL:
        return click.Option([f"--{flag}", use.name], is_flag=True, help=help_)
    numeric = use.field.type in (FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_UINT32)
    type_: click.ParamType[Any] | None = click.IntRange(min=0) if numeric else _text(use)
    metavar = _METAVARS.get(use.options.format) or _MESSAGE_METAVARS.get(_message(use)) or ("N" if numeric else None)
    if use.field.enum_type is not None:
        type_ = click.Choice([name.replace("_", "-") for name in choices or _names(use)])
    elif use.field.type == FieldDescriptor.TYPE_BYTES:
        metavar = "ID"
    preset: dict[str, Any] = {"default": choices[0].replace("_", "-"), "show_default": True} if choices else {}
    return click.Option(
        [f"--{flag}", use.name],
        type=type_,
        metavar=metavar,
        required=required and not choices,
        multiple=use.field.is_repeated,
        help=help_,
        **preset,
    )


def values_of(kind: Kind, session: Session, given: Mapping[str, Any]) -> dict[str, object]:
    """What was given, as `compose` takes it; what was not given has no key.

    Each value by itself is held to its field before anybody is asked; what they say together, the ledger judges.
    Raises Usage, click.BadParameter, and what files raise.
    """
    values: dict[str, object] = {}
    for name, said in given.items():
        use = kind.use(name)
        if said in (None, (), False) or use is None:
            continue
        values[name] = (
            [_value(use, one, session) for one in said] if isinstance(said, tuple) else _value(use, said, session)
        )
        if _message(use) != "Ref":
            check_value(kind, name, values[name])
    return values


def check_value(kind: Kind, name: str, value: object) -> None:
    """Whether a value fits the field of that name, by itself. Raises click.BadParameter."""
    from tallystick.core.compose import Draft, form_of, say
    from tallystick.core.validation import RULES

    form = form_of(kind.name)
    try:
        slot = say(draft := Draft(form, form.blank(""), {}), name, value)
        if slot is not None:
            rules = RULES[kind.number]
            (rules.head if slot.use.in_head else rules.body).part(draft.pieces[slot.at])
    except InvalidStatement as error:
        context = click.get_current_context()
        parameter = next((each for each in context.command.params if each.name == name), None)
        inner = error.where.partition(".")[2]
        what = f"{inner}: {error.what}" if inner else error.what
        raise click.BadParameter(f"{what}; expected {error.expected}", context, parameter) from None


def _value(use: Use, said: Any, session: Session) -> object:
    if use.options.sensitive:
        return Sensitive(line_of_stdin(use.en))
    if use.options.format == "moment":
        return parse_moment(said, session.zone, f"--{flag_of(use)}")
    if use.field.enum_type is not None:
        return said.replace("-", "_")
    match _message(use):
        case "Item":
            return _item(said)
        case "Document":
            return _document(said)
    if use.field.name == "exchange":
        from tallystick.core.identifiers import short_form_in
        from tallystick.sdk.exchange import exchange_name, parse_exchange

        if short_form_in(exchange_name(said)) is not None:  # a hash: taken for an id, it would name another exchange
            raise Usage(
                f"{exchange_name(said)!r} is what the short form of an exchange looks like",
                where="exchange",
                expected="its whole id, as tally show says it",
            )
        return parse_exchange(said).exchange
    return said


def line_of_stdin(what: str) -> str:
    """One line of standard input, asked for where a person sits there, unseen while it is typed. Raises Usage."""
    if sys.stdin.isatty():
        text: str = click.prompt(what, hide_input=True, err=True)
    else:
        try:
            text = sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise Usage("what was read is no text", where="standard input", expected=f"the {what}, in UTF-8") from None
    if not text:
        raise Usage("nothing was read", where="standard input", expected=f"the {what}, on one line")
    return text


def _item(said: str) -> dict[str, object]:
    """A field of a resource from `name:type:sensitivity`; a name may hold no colon."""
    name, _, rest = said.partition(":")
    type_, _, sensitivity = rest.partition(":")
    if sensitivity and sensitivity not in _SENSITIVITIES:
        raise click.UsageError(
            f"--field {said!r} ends in {sensitivity!r}; it takes one of {', '.join(_SENSITIVITIES)}",
            click.get_current_context(),
        )
    return {"name": name, "type": type_, "sensitivity": sensitivity or "neither"}


def _document(said: str) -> dict[str, object]:
    """A paper from `kind:number:file`; a kind and a number may hold no colon."""
    from tallystick.core.hashing import format_digest
    from tallystick.sdk.digests import digest_file

    kind, _, rest = said.partition(":")
    number, _, file = rest.partition(":")
    paper: dict[str, object] = {name: text for name, text in (("kind", kind), ("number", number)) if text}
    return paper | ({"digest": format_digest(digest_file(Path(file)).blake3)} if file else {})


def _text(use: Use) -> click.ParamType[str]:
    """The type of a field that is given as text: what it names, where it names something of another ledger's."""
    if _message(use) == "Ref":
        return EntryReference()
    return BureauId() if use.options.format == "bureau_id" else TEXT


def _message(use: Use) -> str:
    return use.field.message_type.name if use.field.message_type is not None else ""


def _names(use: Use) -> list[str]:
    return [value.name.lower() for value in enum_of(use.field).values if value.number]


def _help(kind: Kind, use: Use) -> str:
    said = _HELP.get(f"{kind.name}.{use.name}") or _HELP.get(use.name) or f"The {use.en}"
    again = "; may be given again" if use.field.is_repeated else ""
    return said.removesuffix(".") + again + "."
