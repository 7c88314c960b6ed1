"""Whom a certificate names: a party of the charter, or an actor or the node of one. Its one URI says so:

    tallystick:taxation:clerk       an actor of a bureau
    tallystick:taxation:node        a bureau's node
    tallystick:audit-office         an auditor

A node's has besides the URI the DNS name `node.tallystick`, under which every node is dialled; any other has no name
but the URI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography import x509

from tallystick.core.errors import InvalidIdentifier, MalformedCertificate
from tallystick.core.identifiers import check_bureau_id, split_actor

NODE_HOST: Final = "node.tallystick"
NODE_NAME: Final = "node"
_SCHEME: Final = "tallystick:"


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """Whom a certificate names: a party of the charter, and, where it is a bureau, the actor or node of it."""

    party: str
    name: str = ""

    def __post_init__(self) -> None:
        """Raises InvalidIdentifier."""
        if self.name:
            split_actor(self.id)
        else:
            check_bureau_id(self.party)

    @classmethod
    def parse(cls, id_: str) -> Holder:
        """Reads `<bureau>:<name>` or `<auditor>`. Raises InvalidIdentifier."""
        return cls(*split_actor(id_)) if ":" in id_ else cls(id_)

    @property
    def id(self) -> str:
        return f"{self.party}:{self.name}" if self.name else self.party

    @property
    def uri(self) -> str:
        return _SCHEME + self.id

    @property
    def is_node(self) -> bool:
        return self.name == NODE_NAME


def holder_of(extensions: x509.Extensions, where: str) -> Holder:
    """Whom the extensions of a certificate, or of a request for one, name; a node by its DNS name as well.

    Raises MalformedCertificate, and ExtensionNotFound where there are no names.
    """
    names = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    uris = [str(each.value) for each in names if isinstance(each, x509.UniformResourceIdentifier)]
    try:
        if len(uris) != 1 or not uris[0].startswith(_SCHEME):
            raise InvalidIdentifier("")
        holder = Holder.parse(uris[0].removeprefix(_SCHEME))
    except InvalidIdentifier:
        raise MalformedCertificate(
            "its URI names nobody", where=where, expected=f"one URI, {_SCHEME}<bureau>:<name> or {_SCHEME}<auditor>"
        ) from None
    others = [each for each in names if not isinstance(each, x509.UniformResourceIdentifier)]
    if others != ([x509.DNSName(NODE_HOST)] if holder.is_node else []):
        raise MalformedCertificate(
            f"it has other names than {holder.uri}", where=where, expected=f"{NODE_HOST} for a node alone"
        )
    return holder
