"""External Secrets: read, or pushed, at once."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import annotates

_NOW: Final = annotates("force-sync", stamped=True)
ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "ExternalSecret": (BuiltIn("refresh", _NOW),),
    "PushSecret": (BuiltIn("push", _NOW),),
}
