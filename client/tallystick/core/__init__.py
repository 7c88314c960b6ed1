"""Formats and checks: no input or output, no gRPC, no clock, no threads. What is needed comes as arguments."""
