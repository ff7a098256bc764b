"""The MariaDB operator: a database taken out of its hands, and given back."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import is_not_set, is_set, sets

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "MariaDB": (
        BuiltIn("suspend", sets(True, "spec", "suspend"), disabled=is_set("spec", "suspend")),
        BuiltIn("resume", sets(False, "spec", "suspend"), disabled=is_not_set("spec", "suspend")),
    )
}
