"""The gRPC services: they translate and call, and decide nothing."""
