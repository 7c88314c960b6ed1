"""The report people look at: what an audit found and has seen as plain data, and its pages, CSV and JSON."""
