"""Views: what the entries so far add up to. State about grants, duties, exchanges and open answers is kept here."""
