"""Naive programs straight from the definitions, to cross-check the fast code; nothing here is meant to be quick."""
