"""State on disk: SQLite files."""
