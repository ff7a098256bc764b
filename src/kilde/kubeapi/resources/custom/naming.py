"""How a CRD comes to be served: its defaults, the versions it stores, whether its names are free (NamesAccepted), Established."""

from collections.abc import Iterable

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.custom.definition import Definition

_ESTABLISHED = {"reason": "InitialNamesAccepted", "message": "the initial names have been accepted"}
_NOT_ACCEPTED = {"reason": "NotAccepted", "message": "not all names are accepted"}


def with_defaults(crd: Object) -> Object:
    """A CRD as the server stores it: singular, listKind and conversion filled in."""
    spec = crd.get("spec") or {}
    names = dict(spec.get("names") or {})
    kind = names.get("kind") or ""
    if kind:
        names["singular"] = names.get("singular") or kind.lower()
        names["listKind"] = names.get("listKind") or f"{kind}List"
    conversion = dict(spec.get("conversion") or {})
    conversion["strategy"] = conversion.get("strategy") or "None"
    return {**crd, "spec": {**spec, "names": names, "conversion": conversion}}


def initial_status(crd: Object) -> Object:
    """The status of a CRD that was just created: nothing accepted, the storage version stored."""
    versions = (crd.get("spec") or {}).get("versions") or ()
    stored = next(([one["name"]] for one in versions if one.get("storage")), None)
    return {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored}


def with_stored_version(status: Object, crd: Object) -> Object:
    """The status of a CRD that was changed: a new storage version joins those that are stored."""
    storage = next((one["name"] for one in (crd.get("spec") or {}).get("versions") or () if one.get("storage")), None)
    stored = list(status.get("storedVersions") or ())
    if storage is None or storage in stored:
        return status
    return {**status, "storedVersions": [*stored, storage]}


def named_status(crd: Object, others: Iterable[Object], now: str) -> Object:
    """The status once the server has looked at the names: `others` are the other CRDs, `now` an RFC 3339 time.

    Names that another CRD of the same group has already been given stay refused; those that are free are accepted. A definition once
    Established stays so. The status that is there already is given back where nothing has changed.
    """
    status = crd.get("status") or {}
    wanted = crd["spec"]["names"]
    taken = _taken(crd, others)
    conflicts = _conflicts(wanted, taken)
    accepted = _accepted(wanted, status.get("acceptedNames") or {}, taken)
    conditions = list(status.get("conditions") or ())
    if conflicts:
        reason, message = conflicts
        conditions = _set(conditions, "NamesAccepted", "False", {"reason": reason, "message": message}, now)
        if not any(one["type"] == "Established" for one in conditions):
            conditions = _set(conditions, "Established", "False", _NOT_ACCEPTED, now)
    else:
        fine = {"reason": "NoConflicts", "message": "no conflicts found"}
        conditions = _set(conditions, "NamesAccepted", "True", fine, now)
        conditions = _set(conditions, "Established", "True", _ESTABLISHED, now)
    return {**status, "acceptedNames": accepted, "conditions": conditions}


def _taken(crd: Object, others: Iterable[Object]) -> tuple[set[str], set[str]]:
    """The resource names (plural, singular, short) and the kinds that other CRDs of the group have been given."""
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if other["spec"]["group"] != crd["spec"]["group"] or other["metadata"]["name"] == crd["metadata"]["name"]:
            continue
        names = (other.get("status") or {}).get("acceptedNames") or {}
        resources.update(
            name for name in (names.get("plural"), names.get("singular"), *(names.get("shortNames") or ())) if name
        )
        kinds.update(name for name in (names.get("kind"), names.get("listKind")) if name)
    return resources, kinds


def _conflicts(names: Object, taken: tuple[set[str], set[str]]) -> tuple[str, str] | None:
    """The reason and message of the last conflict, as the naming controller words it."""
    resources, kinds = taken
    found: list[tuple[str, str]] = []
    for key, reason in (("plural", "PluralConflict"), ("singular", "SingularConflict")):
        if names.get(key) in resources:
            found.append((reason, f'"{names[key]}" is already in use'))
    short = [name for name in names.get("shortNames") or () if name in resources]
    if short:
        found.append(("ShortNamesConflict", ", ".join(f'"{name}" is already in use' for name in short)))
    for key, reason in (("kind", "KindConflict"), ("listKind", "ListKindConflict")):
        if names.get(key) in kinds:
            found.append((reason, f'"{names[key]}" is already in use'))
    return found[-1] if found else None


def _accepted(wanted: Object, before: Object, taken: tuple[set[str], set[str]]) -> Object:
    """The names it has: each as wanted where that is free, otherwise as it was."""
    resources, kinds = taken
    accepted: Object = {"plural": before.get("plural", ""), "kind": before.get("kind", "")}
    for key in ("plural", "singular", "kind", "listKind"):
        busy = kinds if key in ("kind", "listKind") else resources
        value = wanted.get(key) if wanted.get(key) not in busy else before.get(key)
        if value:
            accepted[key] = value
    short = wanted.get("shortNames") or ()
    if any(name in resources for name in short):
        short = before.get("shortNames") or ()
    if short:
        accepted["shortNames"] = list(short)
    if wanted.get("categories"):
        accepted["categories"] = list(wanted["categories"])
    return accepted


def _set(conditions: list[Object], kind: str, status: str, words: Object, now: str) -> list[Object]:
    """The conditions with this one set; its time changes only with its status."""
    old = next((one for one in conditions if one["type"] == kind), None)
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else now
    if old is not None and old["status"] == status == "True" and kind == "Established":
        return conditions
    new = {"type": kind, "status": status, "lastTransitionTime": since, **words}
    if old is None:
        return [*conditions, new]
    return [new if one is old else one for one in conditions]


def terminating_status(crd: Object, words: tuple[str, str, str], now: str) -> Object:
    """The status with the condition Terminating: `words` are its status, reason and message."""
    status = crd.get("status") or {}
    truth, reason, message = words
    conditions = list(status.get("conditions") or ())
    said = {"reason": reason, "message": message}
    return {**status, "conditions": _set(conditions, "Terminating", truth, said, now)}


def is_served(crd: Object) -> bool:
    """Whether requests for its objects are answered: it is Established."""
    return _is_true(crd, "Established")


def is_terminating(crd: Object) -> bool:
    """Whether its objects are being deleted, so that none may join them."""
    return _is_true(crd, "Terminating")


def _is_true(crd: Object, kind: str) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)


def served(crds: Iterable[Object]) -> tuple[Definition, ...]:
    """The definitions to serve among these CRDs."""
    return tuple(Definition.of(crd) for crd in crds if is_served(crd))
