"""`tallyd`: a bureau's node, which keeps one ledger, answers for it, and proves what it answers."""
