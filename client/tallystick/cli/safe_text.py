"""Text that came from a ledger, a file or a peer, made safe to show. How stands in core, which pages share."""

from tallystick.core.safe_text import sanitise, sanitise_json

__all__ = ["sanitise", "sanitise_json"]
