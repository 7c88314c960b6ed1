"""Talks to nodes: verified reads, recording, and the trust store. May do I/O; decides nothing core can decide."""
