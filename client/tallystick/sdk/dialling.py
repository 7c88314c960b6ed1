"""What a connection to a node is like, whoever opens it: gRPC's options, its TLS, and its failures in plain words.

gRPC says of every refused handshake that nobody is there. What the other side's refusal looks like from here is told
apart by the layer it broke in; why a node hung up after it was shown a certificate, only its own log knows, so that is
a guess, and says so.
"""

from __future__ import annotations

from typing import Final

import grpc

from tallystick.core.bureau import Bureau
from tallystick.core.errors import TallystickError, Unreachable
from tallystick.core.holder import NODE_HOST
from tallystick.core.limits import ANSWER_BYTES_MAX, SUBMISSION_BYTES_MAX
from tallystick.sdk.certified_key import CertifiedKey
from tallystick.sdk.credentials import Credentials
from tallystick.sdk.wire_errors import from_rpc

DEADLINE_S: Final = 30.0
ASKED_AT_ONCE: Final = 16
"""So many nodes are asked the same side by side."""
KEEPALIVE_MS: Final = 20_000
CONNECTING_MAX_MS: Final = 10_000
"""So long a node may take to shake hands; one that hangs is given up then, and others are asked."""
_MESSAGE_BYTES_MAX: Final = 2 * SUBMISSION_BYTES_MAX + ANSWER_BYTES_MAX
CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", _MESSAGE_BYTES_MAX),
    # An answer of a mebibyte comes in few pieces, without waiting to be asked for each.
    ("grpc.http2.max_frame_size", ANSWER_BYTES_MAX),
    ("grpc.http2.lookahead_bytes", ANSWER_BYTES_MAX),
    ("grpc.enable_http_proxy", 0),
    # What is followed has no deadline: a node that is gone is noticed by its silence.
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),  # as often as it takes
    ("grpc.min_reconnect_backoff_ms", CONNECTING_MAX_MS),  # which is how long gRPC waits for a handshake
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # One connection a client: another client's broken one must not be handed to this.
    ("grpc.use_local_subchannel_pool", 1),
    # Whose node it is, its authority vouches for; where it is, the charter says.
    ("grpc.ssl_target_name_override", NODE_HOST),
)
# The words by which gRPC's details tell a refused handshake, and what they mean of a node that was to show its
# certificate; whatever else it says there is said as it is.
_SIGNS: Final = {
    "certificate has expired": ("its certificate has expired", "one that is valid"),
    "certificate is not yet valid": ("its certificate is not valid yet", "one that is, and a clock that is right"),
    "CERTIFICATE_VERIFY_FAILED": (
        "its certificate is not of the authority that the charter pins for it",
        "that bureau's node",
    ),
    "Hostname Verification Check failed": ("its certificate is not a node's", "that bureau's node"),
    "WRONG_VERSION_NUMBER": ("it does not speak TLS", "TLS, since the charter pins a certificate authority of it"),
    "Failed to create security handshaker": (
        "no TLS with it: certificate, key and the charter's authority do not go together",
        "a certificate, the key it was issued for, and an authority's certificate",
    ),
    "Handshake read failed": ("somebody listens there and does not answer", "a node at work, that speaks TLS"),
}
_HUNG_UP: Final = "Socket closed"


def security(bureau: Bureau, shown: CertifiedKey) -> grpc.ChannelCredentials:
    """The TLS of a connection to a bureau's node."""
    return grpc.ssl_channel_credentials(bureau.certificate_authority.encode(), shown.key_pem, shown.certificate_pem)


def open_channel(bureau: Bureau, shown: CertifiedKey | None) -> grpc.Channel:
    """A connection to a bureau's node; in the clear where it is shown nothing (`credentials.shown_to`)."""
    if shown is None:
        return grpc.insecure_channel(bureau.endpoint, options=CHANNEL_OPTIONS)
    return grpc.secure_channel(bureau.endpoint, security(bureau, shown), options=CHANNEL_OPTIONS)


def failed(call: grpc.RpcError, bureau: Bureau, credentials: Credentials | None) -> TallystickError:
    """The error behind a failed call to a bureau's node, and what may have kept the two from speaking."""
    error = from_rpc(call, bureau.id, bureau.endpoint)
    if type(error) is not Unreachable or call.code() != grpc.StatusCode.UNAVAILABLE:
        return error
    said = call.details() or ""
    for sign, (what, expected) in _SIGNS.items():
        if sign in said:
            return Unreachable(what, where=error.where, expected=expected)
    if _HUNG_UP in said:
        return Unreachable(f"it hung up, {_guess(bureau, credentials)}", where=error.where, expected="one that goes on")
    return error


def _guess(bureau: Bureau, credentials: Credentials | None) -> str:
    """Why a node may have hung up on who called."""
    if not bureau.certificate_authority or credentials is None:
        return "stopping, or speaking TLS, as a later version of the charter may say"
    shown = credentials.files.certificate
    return f"stopping, or not accepting {shown}: out of its term, or of an authority that it does not know"
