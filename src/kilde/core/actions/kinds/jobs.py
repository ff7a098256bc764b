"""Jobs and CronJobs: suspended, resumed, ended; and a Job made of a CronJob, as `kubectl create job --from` makes it."""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from kilde.core.actions.action import BuiltIn, Call
from kilde.core.actions.changes import at, is_not_set, is_set, put, sets
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object

_ENDINGS: Final = ("Complete", "Failed", "FailureTarget", "SuccessCriteriaMet")


def _is_over(obj: Object) -> bool:
    conditions = at(obj, "status", "conditions")
    return any(
        isinstance(one, dict) and one.get("type") in _ENDINGS and one.get("status") == "True"
        for one in (conditions if isinstance(conditions, list) else ())
    )


def _terminate(obj: Object, call: Call) -> None:
    if _is_over(obj):
        return
    known = at(obj, "status", "conditions")
    ended = {
        "lastTransitionTime": rfc3339(call.now),
        "message": "Job was terminated explicitly through Kilde",
        "reason": "ManuallyTerminated",
        "status": "True",
        "type": "FailureTarget",
    }
    put(obj, [*(known if isinstance(known, list) else ()), ended], "status", "conditions")


def _create_job(obj: Object, call: Call) -> Object:
    template = at(obj, "spec", "jobTemplate") or {}
    meta: Object = copy.deepcopy(at(obj, "spec", "jobTemplate", "metadata") or {})
    moment = datetime.fromtimestamp(int(call.now), UTC)
    meta["name"] = f"{at(obj, 'metadata', 'name')}-{moment:%y%m%d%H%M}"
    meta["namespace"] = at(obj, "metadata", "namespace")
    meta["annotations"] = {**(meta.get("annotations") or {}), "cronjob.kubernetes.io/instantiate": "manual"}
    owner = {
        "apiVersion": obj.get("apiVersion"),
        "kind": obj.get("kind"),
        "name": at(obj, "metadata", "name"),
        "uid": at(obj, "metadata", "uid"),
        "blockOwnerDeletion": True,
        "controller": True,
    }
    meta["ownerReferences"] = [owner]
    spec = copy.deepcopy(template.get("spec") or {})
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}


def _runs(obj: Object) -> bool:
    return not _is_over(obj) and is_not_set("spec", "suspend")(obj)


def _rests(obj: Object) -> bool:
    return not _is_over(obj) and is_set("spec", "suspend")(obj)


def _has_begun(obj: Object) -> bool:
    return not _is_over(obj) and isinstance(obj.get("status"), dict)


_SUSPEND, _RESUME = sets(True, "spec", "suspend"), sets(False, "spec", "suspend")
_PLAY, _PAUSE = "fa fa-fw fa-play", "fa fa-fw fa-pause"

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "CronJob": (
        BuiltIn("create-job", _create_job, "Create Job", "fa fa-fw fa-plus"),
        BuiltIn("suspend", _SUSPEND, icon=_PAUSE, offered=is_not_set("spec", "suspend")),
        BuiltIn("resume", _RESUME, icon=_PLAY, offered=is_set("spec", "suspend")),
    ),
    "Job": (
        BuiltIn("suspend", _SUSPEND, icon=_PAUSE, offered=_runs),
        BuiltIn("resume", _RESUME, icon=_PLAY, offered=_rests),
        BuiltIn("terminate", _terminate, icon="fa fa-fw fa-stop", offered=_has_begun),
    ),
}
