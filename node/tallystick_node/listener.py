"""Where a node listens, and what it asks of who connects: a certificate, unless its settings say that it asks nobody.

Over TLS every caller shows a certificate that an authority of the charter issued, some party's; that it was the
caller's own, and that its term is not over by this node's clock, is looked at with each call (`callers`). The node
shows its own, as it is at each handshake.
"""

from __future__ import annotations

import grpc

from tallystick.core.charter import Charter
from tallystick.core.errors import Usage
from tallystick.sdk.certified_key import CertifiedKey
from tallystick_node.config import Settings
from tallystick_node.own_certificate import OwnCertificate


def listen(server: grpc.aio.Server, settings: Settings, charter: Charter, own: OwnCertificate | None) -> None:
    """Have a server listen where the settings say: over TLS, or in the clear where nothing is shown.

    Raises Usage where the address cannot be had.
    """
    address = settings.config.listen
    try:
        if own is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, _security(charter, own))
    except RuntimeError:
        raise Usage("the address is in use or cannot be had", where=address, expected="a free port") from None


def _security(charter: Charter, own: OwnCertificate) -> grpc.ServerCredentials:
    roots = "".join(party.certificate_authority for party in charter.parties).encode()

    def configuration(shown: CertifiedKey) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration([(shown.key_pem, shown.certificate_pem)], roots)

    taken = own.shown

    def news() -> grpc.ServerCertificateConfiguration | None:
        """Asked at every handshake, in a thread of gRPC's."""
        nonlocal taken
        if own.shown is taken:
            return None
        taken = own.shown
        return configuration(taken)

    return grpc.dynamic_ssl_server_credentials(
        configuration(taken),
        news,  # type: ignore[arg-type]  # None is what says that nothing has changed
        require_client_authentication=True,
    )
