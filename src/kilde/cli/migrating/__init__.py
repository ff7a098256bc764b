"""How moves and shadows are shown."""
