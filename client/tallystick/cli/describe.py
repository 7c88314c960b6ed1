"""How a statement reads, in either language and in JSON: all of it from its kind's own description.

In JSON a statement's fields stand under the SDK's keywords. Bytes are hex, digests carry their tag, an enum is its name
in lower case, a moment is two keys (`happened_at` in RFC 3339 and `happened_at_us`), a citation names origin, index and
leaf, and the reference where the charter knows the ledger. What a statement does not say has no key.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any
from uuid import UUID

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tallystick.core.charter import Charter
from tallystick.core.entry import Entry
from tallystick.core.errors import NotFound
from tallystick.core.hashing import leaf_hash
from tallystick.core.identifiers import exchange_short_form
from tallystick.core.kinds import KINDS, Kind, Use, enum_label, field_options, keyword_of
from tallystick.core.moments import moment_json, moment_text
from tallystick.core.statement import Read
from tallystick_proto.v1.statement_pb2 import Digest, Head, Ref

if TYPE_CHECKING:
    from tallystick.audit.entry import On

_SUMMARY_CHARS_MAX = 160
_NOT_IN_SUMMARY = frozenset({"scheme", "moment"})  # forms that say little on one line


class Describer:
    """Describes statements for one reader: whose charter, language and time zone."""

    def __init__(self, charter: Charter, language: str, zone: tzinfo) -> None:
        self._charter = charter
        self._language = language
        self._zone = zone

    def bureau(self, bureau: str) -> str:
        """What a bureau is called: its short name in Chinese, its id in English."""
        if self._language == "zh":
            for candidate in self._charter.bureau:
                if candidate.id == bureau:
                    return candidate.label("zh")
        return bureau

    def reference(self, origin: str, index: int) -> str:
        """`bureau#index`, or the origin where the charter does not know it."""
        try:
            return f"{self._charter.by_origin(origin).id}#{index}"
        except NotFound:
            return f"{origin}#{index}"

    def moment(self, at_us: int) -> str:
        return moment_text(at_us, self._zone)

    def kind(self, read: Read) -> str:
        """What a statement is."""
        if read.kind is not None:
            return read.kind.label(self._language)
        number = read.statement.head.kind
        return f"第{number}类" if self._language == "zh" else f"kind {number}"

    def field(self, path: str) -> str:
        """What a field of a kind is called, by its path: `data_used.subject`; the path where this version has none."""
        kind_field, _, name = path.partition(".")
        for kind in KINDS.values():
            use = kind.use(name) if kind.field == kind_field else None
            if use is not None:
                of, label = kind.label(self._language), use.label(self._language)
                return f"{of}·{label}" if self._language == "zh" else f"{label} of {of}"
        return path

    def facts(self, read: Read) -> list[tuple[str, list[str]]]:
        """Everything a statement says, labelled, the actor and the kind aside."""
        facts = []
        for use, message in _said(read):
            texts = [self._text(use.field, value) for value in _values(message, use.field)]
            facts.append((use.label(self._language), [line for text in texts for line in _lines(text)]))
        return facts

    def summary(self, read: Read) -> str:
        """One line of what a statement is about: what its head names, then what its kind requires."""
        words = []
        for use, message in _said(read):
            options = use.options
            if options.always or options.format in _NOT_IN_SUMMARY or options.sensitive:
                continue
            if use.in_head:
                words += [self._in_line(use, value) for value in _values(message, use.field)[:3]]
            elif use.field.type == FieldDescriptor.TYPE_ENUM or (
                use.required and use.field.type == FieldDescriptor.TYPE_STRING
            ):
                words.append(" ".join(_lines(self._text(use.field, _values(message, use.field)[0]))))
        line = " · ".join(words)
        return line if len(line) <= _SUMMARY_CHARS_MAX else line[: _SUMMARY_CHARS_MAX - 1] + "…"

    def entry_json(self, bureau: str, origin: str, entry: Entry, read: Read) -> dict[str, Any]:
        """An entry with all its statement says."""
        return {
            "reference": f"{bureau}#{entry.index}",
            "bureau": bureau,
            "origin": origin,
            "index": entry.index,
            "leaf": leaf_hash(entry.raw).hex(),
            "recorded_at": moment_json(entry.recorded_at_us),
            "recorded_at_us": entry.recorded_at_us,
            "kind": read.kind.name if read.kind is not None else str(read.statement.head.kind),
            "actor": read.statement.head.actor,
            "first": entry.first,
            "understood": read.understood,
            "said": self.said_json(read),
        }

    def step_json(self, entry: On[Any]) -> dict[str, Any]:
        """An entry as a step of something: where it stands, what it answers, and all its statement says."""
        about = entry.head.about
        return {
            "reference": entry.reference,
            "bureau": entry.bureau,
            "kind": entry.kind.name,
            "recorded_at": moment_json(entry.recorded_at_us),
            "actor": entry.head.actor,
            "answers": self.reference(about.origin, about.index) if entry.about is not None else None,
            "said": self.said_json(entry.read),
        }

    def said_json(self, read: Read) -> dict[str, Any]:
        """What a statement says, under the SDK's keywords."""
        said: dict[str, Any] = {}
        for use, message in _said(read):
            self._put_json(said, use.name, use.field, message)
        return said

    def _in_line(self, use: Use, value: Any) -> str:
        """A value of the head, with its label where the value alone would not say what it is."""
        text = exchange_short_form(value) if use.field.name == "exchange" else self._text(use.field, value)
        if use.field.name == "about" and isinstance(value, Ref):
            text = self.reference(value.origin, value.index)
        return text if use.field.name in ("resource", "version", "exchange") else f"{use.label(self._language)} {text}"

    def _text(self, field: FieldDescriptor, value: Any) -> str:
        form = field_options(field).format
        match value:
            case bool():
                return ("是" if value else "否") if self._language == "zh" else ("yes" if value else "no")
            case Digest():
                return _digest(value)
            case Ref():
                return f"{self.reference(value.origin, value.index)} (leaf {value.leaf.hex()[:16]}…)"
            case Message():
                return self._message_text(value)
            case bytes() if field.name == "exchange" and field.containing_type is Head.DESCRIPTOR:
                return f"{exchange_short_form(value)} ({_uuid(value)})"
            case bytes() if field.name == "case":
                return _uuid(value)
            case bytes():
                return value.hex()
            case int() if field.enum_type is not None:
                return enum_label(field.enum_type, value, self._language)
            case int() if form == "moment":
                return self.moment(value)
            case str() if form == "bureau_id":
                return self.bureau(value)
            case _:
                return str(value)

    def _message_text(self, message: Message) -> str:
        """The fields of an inner message; a required text names the thing and needs no label, nor does one alone."""
        parts = []
        for field, _ in message.ListFields():
            options = field_options(field)
            label = options.zh if self._language == "zh" else (options.en or keyword_of(field.name).replace("_", " "))
            said = ", ".join(self._text(field, value) for value in _values(message, field))
            named = options.required and field.type == FieldDescriptor.TYPE_STRING
            parts.append(said if named else f"{label} {said}")
            alone = said
        return alone if len(parts) == 1 else "; ".join(parts)

    def _put_json(self, into: dict[str, Any], name: str, field: FieldDescriptor, message: Message) -> None:
        values = _values(message, field)
        if field_options(field).format == "moment":
            into[name] = moment_json(values[0])
            into[f"{name}_us"] = values[0]
        elif field.is_repeated:
            into[name] = [self._json(field, value) for value in values]
        else:
            into[name] = self._json(field, values[0])

    def _json(self, field: FieldDescriptor, value: Any) -> Any:
        match value:
            case Digest():
                return _digest(value)
            case Ref():
                return {
                    "reference": self.reference(value.origin, value.index),
                    "origin": value.origin,
                    "index": value.index,
                    "leaf": value.leaf.hex(),
                }
            case Message():
                inner: dict[str, Any] = {}
                for each, _ in value.ListFields():
                    self._put_json(inner, keyword_of(each.name), each, value)
                return inner
            case bytes():
                return value.hex()
            case int() if field.enum_type is not None and not isinstance(value, bool):
                return enum_label(field.enum_type, value, "en").replace(" ", "_")
            case _:
                return value


def _said(read: Read) -> list[tuple[Use, Message]]:
    """What is set, each with the message it stands in, in the order its kind says it."""
    head = read.statement.head
    if read.kind is None:
        return [(use, head) for use in _HEAD_USES if _is_set(head, use.field)]
    body: Message = getattr(read.statement, read.kind.field)
    found = [(use, head if use.in_head else body) for use in read.kind.uses]
    return [
        (use, message) for use, message in found if use.name not in ("kind", "actor") and _is_set(message, use.field)
    ]


def _lines(text: str) -> list[str]:
    """A note's lines, each for itself, without those that part its text from its signatures."""
    return [line for line in text.splitlines() if line] or [text]


def _head_uses() -> list[Use]:
    """Every field of the head under its own name, for a kind this version does not know."""
    return [
        Use(keyword_of(f.name), f, o, True, False, "", o.zh, o.en or keyword_of(f.name).replace("_", " "))
        for f in Head.DESCRIPTOR.fields
        if (o := field_options(f)) and f.name not in ("kind", "actor")
    ]


_HEAD_USES = _head_uses()


def _is_set(message: Message, field: FieldDescriptor) -> bool:
    if field.is_repeated:
        return bool(getattr(message, field.name))
    if field.message_type is not None:
        return message.HasField(field.name)
    return bool(getattr(message, field.name) != field.default_value)


def _values(message: Message, field: FieldDescriptor) -> list[Any]:
    value = getattr(message, field.name)
    return list(value) if field.is_repeated else [value]


def _digest(digest: Digest) -> str:
    which = digest.WhichOneof("of")
    return f"{which}:{getattr(digest, which).hex()}" if which is not None else ""


def _uuid(value: bytes) -> str:
    return str(UUID(bytes=value)) if len(value) == 16 else value.hex()


def kind_named(name: str) -> Kind | None:
    """A kind by its name, its verb, either of its labels, or its number."""
    wanted = name.casefold()
    for kind in KINDS.values():
        if wanted in (kind.name.casefold(), kind.field, kind.verb, kind.zh, kind.en, str(kind.number)):
            return kind
    return None
