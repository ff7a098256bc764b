"""Records: what the engine tells the ledger, signs for it, and rebuilds from it."""
