"""What reading makes of a stored object: defaults that creation had left out come in, and what storage keeps and nobody is shown goes.

Kubernetes gives an object its defaults when it is decoded, so also when it is read from storage. What a registry changes after the first
decoding (a claim's status is emptied, a job's template gets its labels) is therefore completed by every read, and stored by the first
write: that write counts as one, though it changes nothing.
"""

from collections.abc import Callable, Mapping

import msgspec

from kilde.core.basics.values import Object

_DAEMON_SETS, _GENERATION = "daemonsets.apps", "deprecated.daemonset.template.generation"
_CLAIMS, _JOBS, _SERVICES = "persistentvolumeclaims", "jobs.batch", "services"
_PENDING, _NAME_ALONE, _POLICY = "Pending", "ExternalName", "internalTrafficPolicy"


class _Metadata(msgspec.Struct):
    labels: dict[str, str] | None = None


class _Status(msgspec.Struct):
    phase: str = ""


class _Spec(msgspec.Struct):
    type: str = ""
    internalTrafficPolicy: str | None = None  # noqa: N815


class _Labelled(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _WithStatus(msgspec.Struct):
    status: _Status = msgspec.field(default_factory=_Status)


class _WithSpec(msgspec.Struct):
    spec: _Spec = msgspec.field(default_factory=_Spec)


_job, _claim = msgspec.json.Decoder(_Labelled).decode, msgspec.json.Decoder(_WithStatus).decode
_service = msgspec.json.Decoder(_WithSpec).decode


def _hides(data: bytes) -> bool:
    if b'"ExternalName"' not in data or b'"internalTrafficPolicy"' not in data:
        return False
    spec = _service(data).spec
    return spec.type == _NAME_ALONE and spec.internalTrafficPolicy is not None


_REWRITTEN: Mapping[str, Callable[[bytes], bool]] = {
    _CLAIMS: lambda data: not _claim(data).status.phase,
    _JOBS: lambda data: not _job(data).metadata.labels,
    _SERVICES: _hides,
}


def is_rewritten(storage: str, data: bytes) -> bool:
    """Whether a stored object, given as JSON, is shown otherwise than it is kept."""
    rewritten = _REWRITTEN.get(storage)
    return rewritten is not None and rewritten(data)


def as_created(storage: str, obj: Object) -> Object:
    """What is stored of a new object: a claim's phase is a default of the next read."""
    status = obj.get("status") if storage == _CLAIMS else None
    if not isinstance(status, dict) or status.get("phase") != _PENDING:
        return obj
    return {**obj, "status": {key: value for key, value in status.items() if key != "phase"}}


def as_read(storage: str, obj: Object) -> Object:
    """A stored object with the defaults of reading it: what writes start from."""
    if storage == _CLAIMS:
        status = obj.get("status") or {}
        return obj if status.get("phase") else {**obj, "status": {**status, "phase": _PENDING}}
    if storage == _JOBS and not obj["metadata"].get("labels"):
        template = (obj.get("spec") or {}).get("template") or {}
        labels = (template.get("metadata") or {}).get("labels")
        return {**obj, "metadata": {**obj["metadata"], "labels": dict(labels)}} if labels else obj
    return obj


def as_shown(storage: str, obj: Object) -> Object:
    """An object that was read as it is answered: a name alone has no traffic for a policy (registry/core/service, defaultOnRead)."""
    spec = obj.get("spec") if storage == _SERVICES else None
    if not isinstance(spec, dict) or spec.get("type") != _NAME_ALONE or _POLICY not in spec:
        return obj
    return {**obj, "spec": {key: value for key, value in spec.items() if key != _POLICY}}


def unversioned(storage: str, obj: Object) -> Object:
    """An object as a Table tells its metadata: without the annotation that only apps/v1 makes of a DaemonSet's templateGeneration."""
    annotations = obj["metadata"].get("annotations") or {}
    if storage != _DAEMON_SETS or _GENERATION not in annotations:
        return obj
    kept = {key: value for key, value in annotations.items() if key != _GENERATION}
    others = {key: value for key, value in obj["metadata"].items() if key != "annotations"}
    return {**obj, "metadata": {**others, "annotations": kept} if kept else others}
