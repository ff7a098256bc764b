"""ObjectJudge: what an API server of a Kubernetes version would say of an object that is created, without a server.

The types are those of the version; rules and defaults are those of the newest one that the embedded API has. What depends on what else a
server holds (quotas, admission, allocated addresses) is left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.ref import split_api_version
from kilde.core.objects.typed import go_decode, schema
from kilde.kubeapi.call import Call
from kilde.kubeapi.custom_kinds import CustomKind
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic.metadata import born
from kilde.kubeapi.resources import custom
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.causes import NO_FIELD, Cause
from kilde.kubeapi.resources.custom import Definition
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.storage.store import Store
from kilde.kubeapi.strategies import strategy_of
from kilde.kubeapi.strategies.services import list_address
from kilde.kubeapi.verbs.admit import shaped
from kilde.kubeapi.world import World

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
# What the server sets in a new object of these before it judges it, without asking what else there is.
_PREPARED = frozenset(("jobs.batch", "statefulsets.apps", "persistentvolumeclaims"))
_ALLOCATED = frozenset((("spec.healthCheckNodePort", "FieldValueRequired"),))  # the server fills it in
_UNSAID = {
    "FieldValueRequired": "Required value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueTypeInvalid": "Invalid value: of the wrong type",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """`causes` are why it would be refused (a field may be ""), `warnings` what would be warned of."""

    causes: tuple[Cause, ...]
    warnings: tuple[str, ...] = ()


class ObjectJudge:
    """`definitions` are CRDs; of two with one name the first counts, and one that is wrong defines nothing."""

    def __init__(self, version: str, definitions: Iterable[Object] = ()) -> None:
        self.version = schema.nearest(version)
        self._types = schema.builtin(self.version)
        self._catalog = Catalog()
        self._written: dict[tuple[str, str], Object] = {}
        for crd in definitions:
            self._written.setdefault(_defines(crd), crd)
        self._read: dict[tuple[str, str], dict[str, Kind]] = {}

    @cached_property
    def _world(self) -> World:
        """An empty one: strategies are handed one, and those that we call do not look at it."""
        return World(Store())

    def _custom(self, group: str, version: str, kind: str) -> Kind | None:
        """The kind that a definition defines; definitions are read when they are first asked for: schemas are large."""
        key = (group, kind)
        if key not in self._read:
            crd = self._written.get(key)
            self._read[key] = {} if crd is None else {one.resource.version: one for one in _kinds(crd)}
        return self._read[key].get(version)

    def judge(self, body: Object) -> Judgement | None:
        """None for a kind that neither this version nor a definition has."""
        group, version = split_api_version(str(body.get("apiVersion") or ""))
        name = str(body.get("kind") or "")
        found = self._custom(group, version, name)
        if found is not None:
            return _told(body, self._of_kind(found, body))
        node = self._types.node(group, version, name)
        if node is None:
            return None
        resource = self._catalog.of_kind(group, version, name)
        if resource is None:  # this version has it, the newest has not: its rules are gone, its type is not
            return _told(body, _decoded(Kind(Resource(group, version, "", "", name, namespaced=True), node), body)[1])
        return _told(body, self._of_kind(Kind(resource, node), body))

    def _of_kind(self, kind: Kind, body: Object) -> Judgement:
        decoded, judgement = _decoded(kind, body)
        if decoded is None:
            return judgement
        try:
            causes, warnings = self._created(kind, decoded)
        except (InvalidInput, KeyError, TypeError, ValueError, AttributeError) as error:
            if judgement.causes:
                return judgement
            return Judgement((Cause("", "FieldValueInvalid", f"cannot be judged further: {type(error).__name__}"),))
        return Judgement((*judgement.causes, *causes), (*judgement.warnings, *warnings))

    def _created(self, kind: Kind, body: Object) -> tuple[list[Cause], list[str]]:
        """As the verb `create` does it, as far as it looks at nothing but the object."""
        obj = {**body, "metadata": dict(body.get("metadata") or {})}
        meta = obj["metadata"]
        if kind.resource.namespaced:
            meta.setdefault("namespace", "default")
        else:
            meta.pop("namespace", None)
        now = "1970-01-01T00:00:00Z"
        born(obj, now=now, uid="00000000-0000-0000-0000-000000000000", generation=kind.has_generation, suffix="xxxxx")
        if kind.has_status and not kind.takes_status:
            obj.pop("status", None)
        obj = shaped(kind, obj, nulls=False)
        strategy = strategy_of(kind.storage)
        strategy.complete(obj)
        if kind.storage in _PREPARED:
            strategy.prepare_new(self._world, Call(kind, str(meta.get("namespace") or "")), obj)
        elif kind.storage == "services" and isinstance(obj.get("spec"), dict):
            list_address(obj["spec"])
        causes = [cause for cause in kind.problems_of_new(obj) if (cause.field, cause.reason) not in _ALLOCATED]
        if (kind.resource.group, kind.resource.kind) == _CRD:
            causes += custom.check_definition({**obj, "status": custom.initial_status(obj)})
        causes = [cause for cause in causes if not cause.field.startswith("status.")]  # which is the server's own
        return causes, [] if causes else list(kind.warnings_of(obj, None))


def _defines(crd: Object) -> tuple[str, str]:
    """Group and kind; of what is no definition names that nobody has."""
    spec = crd.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    kind = names.get("kind") if isinstance(names, dict) else None
    return (str(spec.get("group")), str(kind)) if isinstance(spec, dict) else ("", "")


def _kinds(crd: Object) -> Iterator[Kind]:
    try:
        full = custom.with_defaults(crd)
        if custom.check_definition({**full, "status": custom.initial_status(full)}):
            return
        definition = Definition.of(full)
        for resource in definition.resources:
            version = definition.version(resource.version)
            if version is not None:
                yield CustomKind(resource, version.node, definition=definition, version=version)
    except (InvalidInput, KeyError, TypeError, ValueError, AttributeError):
        return  # what is wrong with it is told when the CRD itself is judged


def _decoded(kind: Kind, body: Object) -> tuple[Object | None, Judgement]:
    """The object as its type keeps it (None: it does not fit), and what strict decoding says of it."""
    try:
        found = kind.decoded(body)
    except go_decode.WrongType as error:
        return None, Judgement((Cause(error.where, "FieldValueTypeInvalid", error.what),))
    return found.object, Judgement(tuple(Cause(path, "FieldValueInvalid", "unknown field") for path in found.unknown))


def _told(body: Object, judgement: Judgement) -> Judgement:
    """Each cause once; of a Secret without any value."""
    causes = dict.fromkeys(
        Cause("" if cause.field == NO_FIELD else cause.field, cause.reason, cause.message) for cause in judgement.causes
    )
    if body.get("kind") == "Secret":
        causes = dict.fromkeys(
            cause
            if cause.message == "unknown field"
            else Cause(cause.field, cause.reason, _UNSAID.get(cause.reason, "Invalid value"))
            for cause in causes
        )
        return Judgement(tuple(causes))
    return Judgement(tuple(causes), tuple(dict.fromkeys(judgement.warnings)))
