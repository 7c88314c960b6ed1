"""A local cluster of real node processes on loopback, for the demo, the tests and a first look."""
