"""Where a node listens, and what it asks of who connects: a certificate, unless its settings say that it asks nobody.

Over TLS every caller shows a certificate that an authority of the charter issued, some party's; that it was the
caller's own, and that its term is not over by this node's clock, is looked at with each call (`callers`). The node
shows its own.
"""

from __future__ import annotations

import grpc

from tallystick.core.charter import Charter
from tallystick.core.errors import Usage
from tallystick.sdk.certified_key import CertifiedKey
from tallystick_node.config import Settings


def listen(server: grpc.aio.Server, settings: Settings, charter: Charter, shown: CertifiedKey | None) -> None:
    """Have a server listen where the settings say: over TLS, or in the clear where nothing is shown.

    Raises Usage where the address cannot be had.
    """
    address = settings.config.listen
    try:
        if shown is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, _security(charter, shown))
    except RuntimeError:
        raise Usage("the address is in use or cannot be had", where=address, expected="a free port") from None


def _security(charter: Charter, shown: CertifiedKey) -> grpc.ServerCredentials:
    roots = "".join(
        [bureau.certificate_authority for bureau in charter.bureau]
        + [auditor.certificate_authority for auditor in charter.auditor]
    )
    return grpc.ssl_server_credentials([(shown.key_pem, shown.certificate_pem)], roots.encode(), True)
