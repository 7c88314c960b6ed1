"""Every call that there is, by the descriptors of all that is generated: none has to be listed by hand."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules

from google.protobuf.descriptor import FileDescriptor

from tallystick_proto import v1


def calls_of(file: FileDescriptor) -> list[str]:
    """The calls of a file's services, named as in `tallystick.v1.Ledger/Find`."""
    return [
        f"{service.full_name}/{method.name}" for service in file.services_by_name.values() for method in service.methods
    ]


def own_calls() -> list[str]:
    """The calls of every file in `tallystick_proto.v1`."""
    return [call for file in _files() for call in calls_of(file)]


def _files() -> Iterable[FileDescriptor]:
    for each in iter_modules(v1.__path__):
        if each.name.endswith("_pb2"):
            yield import_module(f"{v1.__name__}.{each.name}").DESCRIPTOR
