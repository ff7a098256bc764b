"""Who keeps checkpoints beside the ledger: a file, an object store. (A Git ref is in adapters/git.)"""
