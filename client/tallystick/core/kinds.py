"""What each statement kind is, read from the options in `statement.proto`, which is the only place that says it.

A `Kind` names its field in `Statement.said`, who may sign it, which fields of the head it uses and under which
names, and its own fields. Every consumer (validation, composing, labels, documentation, the access table) reads
`KINDS`; none keeps a list of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from tallystick.core.errors import NotFound
from tallystick_proto.v1 import meta_pb2, statement_pb2
from tallystick_proto.v1.meta_pb2 import Role

HEAD: Final = statement_pb2.Head.DESCRIPTOR
SAID: Final = statement_pb2.Statement.DESCRIPTOR.oneofs_by_name["said"]


@dataclass(frozen=True, slots=True)
class Use:
    """One thing a kind can say: a field of the head under this kind's name for it, or a field of its own.

    `name` is the keyword of the SDK and the key in JSON; it drops the unit `_us`, since moments are converted.
    """

    name: str
    field: FieldDescriptor
    options: meta_pb2.Field
    in_head: bool
    required: bool
    absent: str
    zh: str
    en: str

    def label(self, language: str) -> str:
        """What the field is called, in `zh` or `en`."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Kind:
    """One statement kind. `number` is its field number in `Statement.said`, `field` that field's name."""

    number: int
    name: str
    field: str
    body: Descriptor
    verb: str
    section: str
    term: str
    zh: str
    en: str
    roles: frozenset[int]
    uses: tuple[Use, ...]

    def label(self, language: str) -> str:
        """What the kind is called, in `zh` or `en`."""
        return self.zh if language == "zh" else self.en

    @property
    def head_uses(self) -> Iterator[Use]:
        """The fields of the head this kind may carry, those of every kind included."""
        return (use for use in self.uses if use.in_head)

    @property
    def body_uses(self) -> Iterator[Use]:
        """The kind's own fields, in the order of their numbers."""
        return (use for use in self.uses if not use.in_head)

    def use(self, name: str) -> Use | None:
        """The use of that name, or None."""
        return next((use for use in self.uses if use.name == name), None)


def field_options(field: FieldDescriptor) -> meta_pb2.Field:
    """The tallystick options of a field; empty ones where it has none."""
    return field.GetOptions().Extensions[meta_pb2.field]


def message_of(field: FieldDescriptor) -> Descriptor:
    """The message type of a field that holds messages. Any other field is a wrong call."""
    if field.message_type is None:
        raise RuntimeError(f"{field.full_name} holds no message")
    return field.message_type


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    """The enum type of a field that holds an enum's value. Any other field is a wrong call."""
    if field.enum_type is None:
        raise RuntimeError(f"{field.full_name} holds no enum")
    return field.enum_type


def enum_label(enum: EnumDescriptor, number: int, language: str) -> str:
    """What an enum's value is called: its Chinese label, or its name in lower case; the number if unknown."""
    value = enum.values_by_number.get(number)
    if value is None:
        return str(number)
    if language == "zh":
        return value.GetOptions().Extensions[meta_pb2.value].zh or value.name
    return value.name.lower().replace("_", " ")


def keyword_of(field_name: str) -> str:
    """The SDK's keyword for a field: its name without the unit of a moment."""
    return field_name.removesuffix("_us")


def _words(name: str) -> str:
    return keyword_of(name).replace("_", " ")


def _own_use(field: FieldDescriptor) -> Use:
    options = field_options(field)
    return Use(
        name=keyword_of(field.name),
        field=field,
        options=options,
        in_head=field.containing_type is HEAD,
        required=options.required,
        absent=options.absent,
        zh=options.zh,
        en=options.en or _words(field.name),
    )


def _head_use(use: meta_pb2.HeadUse) -> Use:
    field = HEAD.fields_by_name[use.field]
    options = field_options(field)
    name = use.name or keyword_of(field.name)
    return Use(
        name=name,
        field=field,
        options=options,
        in_head=True,
        required=use.required,
        absent=use.absent,
        zh=use.zh or options.zh,
        en=_words(name),
    )


def _kind(field: FieldDescriptor) -> Kind:
    body = message_of(field)
    options = body.GetOptions().Extensions[meta_pb2.kind]
    named = {use.field: _head_use(use) for use in options.head}
    always = [_own_use(f) for f in HEAD.fields if field_options(f).always and f.name not in named]
    own = [_own_use(f) for f in body.fields]
    return Kind(
        number=field.number,
        name=body.name,
        field=field.name,
        body=body,
        verb=options.verb,
        section=options.section,
        term=options.term,
        zh=options.zh,
        en=options.en,
        roles=frozenset(options.role),
        uses=(*named.values(), *own, *always),
    )


KINDS: Final[Mapping[int, Kind]] = MappingProxyType({field.number: _kind(field) for field in SAID.fields})
BY_NAME: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in KINDS.values()})
BY_VERB: Final[Mapping[str, Kind]] = MappingProxyType({kind.verb: kind for kind in KINDS.values()})

# The index terms of a head: number by name. Field 0 stands for the submission id, which is the entry's.
TERM_FIELDS: Final[Mapping[str, int]] = MappingProxyType(
    {field.name: field.number for field in HEAD.fields if field_options(field).term} | {"submission": 0}
)


# The kind that has a sensitive field, by the field's path: `data_used.subject`.
SENSITIVE: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        f"{kind.field}.{use.field.name}": kind
        for kind in KINDS.values()
        for use in kind.body_uses
        if use.options.sensitive
    }
)


def sensitive_path(kind: Kind | None, name: str) -> str:
    """The path of a kind's sensitive field from the field's name, or from the path itself. Raises NotFound."""
    field = "" if kind is None else kind.field
    path = name if "." in name else f"{field}.{name}"
    if path not in SENSITIVE or SENSITIVE[path] != kind:
        names = [use.name for use in (() if kind is None else kind.body_uses) if use.options.sensitive]
        raise NotFound(
            f"{name[:128]!r} holds no commitment", where="field", expected=" or ".join(names) or "an entry that has one"
        )
    return path


def role_label(role: int, language: str) -> str:
    """What a role is called."""
    return enum_label(Role.DESCRIPTOR, role, language)
