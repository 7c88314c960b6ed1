"""Judges what is recorded: views, rules and obligations over verified entries. No input or output, no clock."""
