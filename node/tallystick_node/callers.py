"""Who calls, as far as the connection proves it.

Over TLS a caller is whom its certificate names. A listener in the clear knows nobody: whoever reaches it is
`IN_THE_CLEAR`. What a caller may do is not said here, but in `access`; that a submission is its actor's, the submission
itself proves.

`current` is the caller of the call that is being answered, set before the service sees it. Where nothing sets it (a
service called without a server) it is `IN_THE_CLEAR`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tallystick.core.certificate import parse_issued
from tallystick.core.certified import check_certified
from tallystick.core.charter import Charter
from tallystick.core.errors import MalformedCertificate, NotAllowed, NotAuthentic

if TYPE_CHECKING:  # what only wants the table need not load gRPC
    from grpc.aio import ServicerContext


@dataclass(frozen=True, slots=True)
class Caller:
    """A bureau's actor or node, by the bureau's id and a name; an auditor, by its id alone; or nobody known.

    Its certificate begins at `certified_us`, which is no part of who it is.
    """

    party: str
    name: str
    certified_us: int = field(default=0, compare=False)

    @property
    def id(self) -> str:
        """As in `taxation:clerk`, `audit-office`, or `in the clear`."""
        return f"{self.party}:{self.name}" if self.name else self.party or "in the clear"


IN_THE_CLEAR: Final = Caller("", "")

current: ContextVar[Caller] = ContextVar("caller", default=IN_THE_CLEAR)


class Callers:
    """Tells the callers of one listener apart. `in_the_clear` says that it asks for no certificate."""

    def __init__(self, charter: Charter, now_us: Callable[[], int], *, in_the_clear: bool) -> None:
        self._charter = charter
        self._now_us = now_us
        self._in_the_clear = in_the_clear

    def of(self, context: ServicerContext[Any, Any]) -> Caller:
        """Who makes a call. Raises NotAllowed where its connection does not prove that."""
        if self._in_the_clear:
            return IN_THE_CLEAR
        shown = next(iter(context.auth_context().get("x509_pem_cert", ())), b"")
        try:
            certificate = parse_issued(shown)
            check_certified(self._charter, certificate, self._now_us())
        except (NotAuthentic, MalformedCertificate) as error:
            raise NotAllowed(error.what, where=error.where, expected=error.expected) from None
        return Caller(certificate.holder.party, certificate.holder.name, certificate.begins_us)
