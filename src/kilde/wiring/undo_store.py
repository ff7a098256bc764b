"""Where deleted objects are kept: for the controller and for the command line."""

from pathlib import Path

from kilde.adapters.store.sqlite_undo import SqliteUndo


def open_undo(data_dir: Path) -> SqliteUndo:
    """The store of a data directory, made where there is none. Raises KildeError."""
    return SqliteUndo(data_dir / "undo.sqlite", data_dir / "undo.key")
