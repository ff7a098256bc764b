"""Validation of Events, in both groups that serve them."""

from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, invalid, required
from kilde.kubeapi.resources.validation.fields import IMMUTABLE, get, needed
from kilde.kubeapi.resources.validation.names import dns_subdomain, qualified_name

_ABOUT = "involvedObject.namespace"
_ELSEWHERE = "does not match event.namespace"
# What is wrong where → the field of events.k8s.io that holds it, in the order of the real server, which names the reason twice.
_FIXED = (
    ("involvedObject", "regarding"),
    ("reason", "reason"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reason", "reason"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingController", "reportingController"),
    ("reportingInstance", "reportingInstance"),
)
_REFERENCE: Mapping[str, str] = {
    "Kind": "kind",
    "Namespace": "namespace",
    "Name": "name",
    "UID": "uid",
    "APIVersion": "apiVersion",
    "ResourceVersion": "resourceVersion",
    "FieldPath": "fieldPath",
}
_SOURCE: Mapping[str, str] = {"Component": "component", "Host": "host"}
_TIMES = frozenset(("eventTime", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"))
_LENGTHS = (("reportingInstance", 128), ("action", 128), ("reason", 128), ("message", 1024))


def check_event(event: Object) -> Iterator[Cause]:
    """What is wrong with an Event of the core group."""
    yield from _sense(event, event.get("involvedObject") or {}, event.get("message") or "", "reportingComponent")


def _sense(event: Object, target: Object, message: str, controller_at: str) -> Iterator[Cause]:
    """What is asked of every Event, by whether it says when it happened."""
    namespace, about = get(event, "metadata", "namespace", default=""), target.get("namespace") or ""
    if not event.get("eventTime"):
        if about != namespace if about else namespace not in ("", "default"):
            yield invalid(_ABOUT, about, _ELSEWHERE)
    else:
        if not about and namespace not in ("default", "kube-system"):
            yield invalid(_ABOUT, about, _ELSEWHERE)
        controller = event.get("reportingController") or event.get("reportingComponent") or ""
        yield from needed(controller, controller_at)
        yield from (invalid(controller_at, controller, text) for text in qualified_name(controller))
        for key, most in _LENGTHS:
            text = message if key == "message" else event.get(key) or ""
            if key != "message":
                yield from needed(text, key)
            if len(text) > most:
                yield invalid(key, "", f"can have at most {most} characters")
    yield from (invalid("namespace", namespace, text) for text in dns_subdomain(namespace))


def check_new_event(event: Object) -> Iterator[Cause]:
    """What is wrong with an Event of events.k8s.io: every field that tells of it is needed."""
    yield from _new_sense(event)
    yield from _series(event)
    if not event.get("eventTime"):
        yield required("eventTime")
    kind = event.get("type") or ""
    if kind not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {kind}")
    for at, key in (
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"),
        ("source", "deprecatedSource"),
    ):
        value = event.get(key)
        if any(value.values()) if isinstance(value, dict) else value:
            yield invalid(at, "", "needs to be unset")


def _new_sense(event: Object) -> Iterator[Cause]:
    yield from _sense(event, event.get("regarding") or {}, event.get("note") or "", "reportingController")


def _series(event: Object) -> Iterator[Cause]:
    series = event.get("series")
    if series is not None:
        if (series.get("count") or 0) < 2:
            yield invalid("series.count", "", "should be at least 2")
        if not series.get("lastObservedTime"):
            yield required("series.lastObservedTime")


def check_new_event_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of an Event of events.k8s.io: only its series may go on."""
    yield from _new_sense(new)
    if new.get("series") != old.get("series"):
        yield from _series(new)
    for at, key in _FIXED:
        value, was = new.get(key), old.get(key)
        if value != was and (value or was):
            yield invalid(at, _as_held(key, value), IMMUTABLE)


def _as_held(key: str, value: Json) -> Json:
    """A value as the server holds it: Go's names, empty where nothing is set."""
    if key == "regarding" or (key == "related" and value is not None):
        return Struct({name: get(value, field, default="") for name, field in _REFERENCE.items()})
    if key == "deprecatedSource":
        return Struct({name: get(value, field, default="") for name, field in _SOURCE.items()})
    if key == "deprecatedCount":
        return value or 0
    return value if key in _TIMES or key == "related" else value or ""
