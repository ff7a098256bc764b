"""Events live for an hour, as in a real cluster, where the API server's storage forgets them."""

from kilde.core.basics.moment import parse
from kilde.kubeapi.controllers.metadata import uid_of
from kilde.kubeapi.controllers.steps import NOTHING, Controller, Delete, Key, Moment, Step, View, itself

TIME_TO_LIVE = 3600.0


def controller() -> Controller:
    """Deletes each event an hour after it last happened."""
    return Controller("event-expiry", _reduce, {"events": itself}, workers=1)


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    event = view.get("events", *key)
    if event is None:
        return NOTHING
    last = event.get("lastTimestamp") or event["metadata"].get("creationTimestamp", "")
    due = (parse(last) or moment.now) + TIME_TO_LIVE
    if moment.now < due:
        return Step(wake=due)
    return Step((Delete("events", key.namespace, key.name, uid_of(event)),))
