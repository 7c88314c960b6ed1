"""The `tally` command: reads arguments, calls the SDK, prints. Nothing here is worth importing elsewhere."""
