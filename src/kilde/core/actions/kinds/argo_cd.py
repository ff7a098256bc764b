"""Applications of Argo CD's kind: automated syncs switched off and on, without forgetting how they are."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn, Call
from kilde.core.actions.changes import at, put
from kilde.core.basics.values import Object


def _toggle(obj: Object, call: Call) -> None:
    del call
    automated = at(obj, "spec", "syncPolicy", "automated")
    is_on = isinstance(automated, dict) and automated.get("enabled") is not False
    put(obj, not is_on, "spec", "syncPolicy", "automated", "enabled")


ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "Application": (BuiltIn("toggle-auto-sync", _toggle, "Toggle Auto-Sync", "fa fa-fw fa-sync-alt"),)
}
