"""Why a pass came to nothing, in words for people and without a value."""

import traceback

from kilde.core.apps.application import Application
from kilde.core.apps.conditions import comparison_error
from kilde.core.apps.operation import Operation
from kilde.core.basics.errors import KildeError
from kilde.engine.runtime import Runtime


def where(error: Exception) -> str:
    """The innermost line that raised it: `desired.py:80`."""
    last = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{last[0].filename.rpartition('/')[2]}:{last[0].lineno}" if last else "an unknown place"


def not_loaded(app: Application, rt: Runtime, error: KildeError, operation: Operation | None = None) -> tuple[str, str]:
    """Why the source that was looked at last could not be rendered."""
    sources, words = app.sources, app.words
    if operation is not None:
        sources, words = operation.sources or sources, operation.revisions or words
    at = min(rt.source, len(sources) - 1)
    word = words[at] if at < len(words) else ""
    return comparison_error(error, path=sources[at].path, revision=word, source=(at + 1, len(sources)))
