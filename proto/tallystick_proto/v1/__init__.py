"""Version 1 of the formats. The stubs are made by `scripts/proto` and never edited."""
