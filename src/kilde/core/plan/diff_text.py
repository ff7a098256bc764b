"""A change as `kubectl diff` prints it: unified, live against wanted, secret values never shown."""

import difflib
from collections.abc import Callable

from kilde.core.basics.values import Object
from kilde.core.plan.masking import mask_pair

_NOISE = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")


def unified(name: str, live: Object | None, wanted: Object | None, *, write: Callable[[Object], str]) -> str:
    """The difference as text ("" where there is none); `write` gives an object's YAML."""
    live, wanted = mask_pair(live, wanted)
    old = write(_shown(live)).splitlines(keepends=True) if live is not None else []
    new = write(_shown(wanted)).splitlines(keepends=True) if wanted is not None else []
    return "".join(difflib.unified_diff(old, new, f"live/{name}", f"git/{name}"))


def _shown(body: Object) -> Object:
    meta = {key: value for key, value in (body.get("metadata") or {}).items() if key not in _NOISE}
    return {**{key: value for key, value in body.items() if key != "status"}, "metadata": meta}
