"""What the API server remembers: objects as bytes, one order of changes, and a log that survives a kill."""
