"""The status of an ApplicationSet: conditions, resources and health, as Argo CD writes them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object

ERROR, GENERATED, UP_TO_DATE = "ErrorOccurred", "ParametersGenerated", "ResourcesUpToDate"
PROGRESSING, INVALID_ROLLOUT = "RolloutProgressing", "InvalidRolloutConfig"
_ONLY_WHEN_ROLLING = (PROGRESSING, INVALID_ROLLOUT)
MOST_RESOURCES = 5_000


def condition(kind: str, *, status: bool, reason: str, message: str) -> Object:
    return {"type": kind, "status": "True" if status else "False", "reason": reason, "message": message}


def failed(reason: str, message: str, *, generated: bool) -> list[Object]:
    """What is said when something went wrong."""
    return [
        _generated(message, well=generated),
        condition(ERROR, status=True, reason=reason, message=message),
        condition(UP_TO_DATE, status=False, reason="ErrorOccurred", message=message),
    ]


def went_well() -> list[Object]:
    """What is said when all Applications are as the set wants them."""
    words = "All applications have been generated successfully"
    return [
        _generated("", well=True),
        condition(UP_TO_DATE, status=True, reason="ApplicationSetUpToDate", message=words),
        condition(ERROR, status=False, reason="ApplicationSetUpToDate", message=words),
    ]


def _generated(message: str, *, well: bool) -> Object:
    words = "Successfully generated parameters for all Applications" if well else message
    return condition(GENERATED, status=well, reason="ParametersGenerated" if well else "ErrorOccurred", message=words)


def merged(before: Sequence[Mapping[str, Any]], said: Iterable[Object], *, rolling: bool, now: float) -> list[Object]:
    """The conditions from now on: those said replace those of their type; what did not change keeps its time."""
    new = {each["type"]: each for each in said if rolling or each["type"] not in _ONLY_WHEN_ROLLING}
    mended = (INVALID_ROLLOUT,) if PROGRESSING in new else ()  # it is said where something is wrong, and only then
    out = {
        str(each.get("type")): dict(each)
        for each in before
        if each.get("type") not in (*new, *mended) and (rolling or each.get("type") not in _ONLY_WHEN_ROLLING)
    }
    known = {str(each.get("type")): each for each in before}
    for kind, each in new.items():
        had = known.get(kind) or {}
        same = all(had.get(key) == each[key] for key in ("status", "reason", "message"))
        out[kind] = dict(had) if same else {**each, "lastTransitionTime": rfc3339(now)}
    return [out[kind] for kind in sorted(out)]


def health(conditions: Iterable[Mapping[str, Any]]) -> Object:
    """What Argo CD makes of the conditions."""
    true = {each["type"]: str(each.get("message", "")) for each in conditions if each.get("status") == "True"}
    for kind, word in ((ERROR, "Degraded"), (PROGRESSING, "Progressing"), (UP_TO_DATE, "Healthy")):
        if kind in true:
            return {"status": word, "message": true[kind]}
    return {"status": "Unknown", "message": "Waiting for health status to be determined"}


def resources(applications: Iterable[Object], most: int = MOST_RESOURCES) -> tuple[list[Object], int]:
    """One entry for each Application there is, by name, at most so many; and how many there are."""
    found = [_resource(each) for each in sorted(applications, key=lambda each: str(each["metadata"]["name"]))]
    return found[:most], len(found)


def _resource(application: Object) -> Object:
    status = application.get("status") or {}
    out: Object = {
        "group": "argoproj.io",
        "version": "v1alpha1",
        "kind": "Application",
        "name": application["metadata"]["name"],
        "namespace": application["metadata"].get("namespace", ""),
        "health": {},
    }
    sync, well = (status.get("sync") or {}).get("status"), (status.get("health") or {}).get("status")
    if sync:
        out["status"] = sync
    if well:
        out["health"] = {"status": well}
    return out
