"""Stage 1: which revision, which files."""
