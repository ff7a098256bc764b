"""The Dangling condition of FlowSchemas: is the level there that they name? (upstream: util/flowcontrol, in API servers)."""

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import condition, find, turn
from kilde.kubeapi.controllers.metadata import deleting, name_of
from kilde.kubeapi.controllers.steps import NOTHING, Apply, Controller, Key, Moment, Step, View, itself

MANAGER = "api-priority-and-fairness-config-consumer-v1"
SCHEMAS, LEVELS = (
    f"{plural}.flowcontrol.apiserver.k8s.io" for plural in ("flowschemas", "prioritylevelconfigurations")
)


def controller() -> Controller:
    """Looks at a schema, and at all that name a level when that comes or goes."""
    return Controller("flow-schema-status", _reduce, {SCHEMAS: itself, LEVELS: _naming}, manager=MANAGER, workers=1)


def level_of(schema: Object) -> str:
    """The name of the level that a FlowSchema names."""
    return str(schema["spec"]["priorityLevelConfiguration"]["name"])


def words(level: str, *, there: bool) -> tuple[str, str, str]:
    """Status, reason and message of the condition."""
    about = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    if there:
        return "False", "Found", f"{about} and it exists"
    return "True", "NotFound", f"{about} but there is no such object"


def _naming(level: Object, view: View) -> list[Key]:
    return [Key("", name_of(schema)) for schema in view.every(SCHEMAS) if level_of(schema) == name_of(level)]


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    schema = view.get(SCHEMAS, *key)
    if schema is None or deleting(schema):
        return NOTHING
    level = level_of(schema)
    status = schema.get("status") or {}
    old = status.get("conditions") or []
    said = words(level, there=view.get(LEVELS, "", level) is not None)
    conditions = turn(old, condition("Dangling", *said, moment.now))
    if conditions == old:
        return NOTHING
    whole = find(conditions, "Dangling")
    head = {"apiVersion": schema["apiVersion"], "kind": schema["kind"], "metadata": {"name": name_of(schema)}}
    return Step((Apply(SCHEMAS, {**head, "status": {"conditions": [whole]}}, "status"),))
