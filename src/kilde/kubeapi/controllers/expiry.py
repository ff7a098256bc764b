"""Events live for an hour, as in a real cluster, where the API server's storage forgets them."""

from kilde.core.basics.moment import parse
from kilde.kubeapi.controllers.metadata import uid_of
from kilde.kubeapi.controllers.steps import NOTHING, Controller, Delete, Key, Moment, Step, View, itself

TIME_TO_LIVE = 3600.0


def controller() -> Controller:
    """Deletes each event an hour after it was last written, as well as that can be told: it may speak of older times."""
    return Controller("event-expiry", _reduce, {"events": itself}, workers=1)


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    event = view.get("events", *key)
    if event is None:
        return NOTHING
    made = parse(event["metadata"].get("creationTimestamp", "")) or moment.now
    due = max(made, min(parse(event.get("lastTimestamp") or "") or 0.0, moment.now)) + TIME_TO_LIVE
    if moment.now < due:
        return Step(wake=due)
    return Step((Delete("events", key.namespace, key.name, uid_of(event)),))
