"""The Synced condition of a SealedSecret: whether it opened, and why not."""

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object

_TYPE = "Synced"


def condition_of(sealed: Object) -> Object:
    """The Synced condition as it stands; empty where there is none."""
    found = (sealed.get("status") or {}).get("conditions") or ()
    return next((each for each in found if isinstance(each, dict) and each.get("type") == _TYPE), {})


def status_after(sealed: Object, problem: str, *, now: float) -> Object | None:
    """The status to write; None if the one that is there says the same of this generation. `problem` "": it opened."""
    before = condition_of(sealed)
    status = "False" if problem else "True"
    generation = sealed["metadata"].get("generation", 0)
    seen = (sealed.get("status") or {}).get("observedGeneration", 0)
    if (before.get("status"), before.get("message") or "", seen) == (status, problem, generation):
        return None
    moment = rfc3339(now)
    since = before.get("lastTransitionTime") if before.get("status") == status else None
    condition = {"type": _TYPE, "status": status, "lastUpdateTime": moment, "lastTransitionTime": since or moment}
    if problem:
        condition["message"] = problem
    return {"conditions": [condition], "observedGeneration": generation}
