"""Where a node keeps its bytes: one protocol, one file an implementation. Nothing above this room knows which."""
