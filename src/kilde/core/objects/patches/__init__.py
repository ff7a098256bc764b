"""Patches: RFC 6902, RFC 7386 and strategic merge."""
