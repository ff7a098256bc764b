"""Sources: from a repository in Git to what an application wants: fetched, checked, decrypted, rendered once."""
