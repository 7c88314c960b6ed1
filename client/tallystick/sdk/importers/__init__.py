"""Importers: other people's records brought in as statements, with an account of everything that was left out."""
