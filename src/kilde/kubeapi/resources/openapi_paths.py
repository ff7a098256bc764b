"""The `paths` of an OpenAPI v3 document: the operations of a resource and its sub-resources.

kubectl reads from them whether a PATCH takes `fieldValidation` and which patch media types, by `x-kubernetes-group-version-kind`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kilde.kubeapi.resources.kinds import Resource, SubResource
from kilde.kubeapi.resources.openapi_schemas import body_name, definition_name, reference

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_APPLY, _JSON_PATCH, _MERGE_PATCH = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
)
_STRATEGIC = "application/strategic-merge-patch+json"
_BODIES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")

_QUERY: Mapping[str, tuple[str, str]] = {
    "pretty": ("string", "If 'true', then the output is pretty printed."),
    "dryRun": ("string", "'All' processes the request in full and stores nothing."),
    "fieldManager": ("string", "The name of who makes the changes: printable, shorter than 128 characters."),
    "fieldValidation": ("string", "What to do about unknown and duplicate fields: Ignore, Warn or Strict."),
    "force": ("boolean", "Take over fields that other managers own. Only for apply."),
    "gracePeriodSeconds": ("integer", "Seconds before the object is deleted; 0 is at once."),
    "orphanDependents": ("boolean", "Deprecated: use propagationPolicy."),
    "propagationPolicy": ("string", "What becomes of dependents: Orphan, Background or Foreground."),
    "allowWatchBookmarks": ("boolean", "Send events of type BOOKMARK in a watch."),
    "continue": ("string", "The token of the page before, to get the next."),
    "fieldSelector": ("string", "Only objects whose fields match."),
    "labelSelector": ("string", "Only objects whose labels match."),
    "limit": ("integer", "At most so many objects in one answer."),
    "resourceVersion": ("string", "How old the answer may be."),
    "resourceVersionMatch": ("string", "How resourceVersion is meant: Exact or NotOlderThan."),
    "sendInitialEvents": ("boolean", "Begin a watch with the objects that are there."),
    "timeoutSeconds": ("integer", "End the call after so many seconds."),
    "watch": ("boolean", "Send changes as they come instead of a list."),
}
_LISTING = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_WRITING = ("dryRun", "fieldManager", "fieldValidation")
_DELETING = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")

# verb -> HTTP method, action, query parameters, word in the operation's name
_ON_ITEM: Mapping[str, tuple[str, str, tuple[str, ...], str]] = {
    "get": ("get", "get", (), "read"),
    "update": ("put", "put", _WRITING, "replace"),
    "patch": ("patch", "patch", (*_WRITING, "force"), "patch"),
    "delete": ("delete", "delete", _DELETING, "delete"),
}
_ON_COLLECTION: Mapping[str, tuple[str, str, tuple[str, ...], str]] = {
    "list": ("get", "list", _LISTING, "list"),
    "create": ("post", "post", _WRITING, "create"),
    "deletecollection": ("delete", "deletecollection", (*_DELETING, *_LISTING[:-1]), "deleteCollection"),
}


def paths_of(resource: Resource, root: str) -> dict[str, Any]:
    """The path items of a resource below `/api/v1` or `/apis/<group>/<version>`."""
    return dict(_paths(resource, root))


def _paths(resource: Resource, root: str) -> Iterator[tuple[str, Any]]:
    base = f"{root}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
    name, many = definition_name(resource), definition_name(resource, resource.list_kind_name)
    collection = {
        method: _operation(resource, "", action, query, word, many if action == "list" else name)
        for verb, (method, action, query, word) in _ON_COLLECTION.items()
        if verb in resource.verbs
    }
    if collection:
        yield base, {**collection, "parameters": _place(resource, named=False)}
    if resource.namespaced and "list" in resource.verbs:
        everywhere = _operation(resource, "", "list", _LISTING, "list", many, word_after="ForAllNamespaces")
        yield f"{root}/{resource.plural}", {"get": everywhere, "parameters": [_parameter("pretty")]}
    item = _item(resource, "", resource.verbs, name)
    if item:
        yield f"{base}/{{name}}", {**item, "parameters": _place(resource, named=True)}
    for sub in resource.sub_resources:
        operations = _sub(resource, sub)
        yield f"{base}/{{name}}/{sub.name}", {**operations, "parameters": _place(resource, named=True)}


def _item(resource: Resource, sub: str, verbs: tuple[str, ...], body: str) -> dict[str, Any]:
    return {
        method: _operation(resource, sub, action, query, word, body)
        for verb, (method, action, query, word) in _ON_ITEM.items()
        if verb in verbs
    }


def _sub(resource: Resource, sub: SubResource) -> dict[str, Any]:
    body = body_name(resource, sub.body)
    found = _item(resource, sub.name, sub.verbs, body)
    if "create" in sub.verbs:
        found["post"] = _operation(resource, sub.name, "post", _WRITING, "create", body)
    for operation in found.values():
        group, version, kind = sub.body
        if version:
            operation["x-kubernetes-group-version-kind"] = {"group": group, "version": version, "kind": kind}
    return found


def _operation(
    resource: Resource, sub: str, action: str, query: tuple[str, ...], word: str, body: str, *, word_after: str = ""
) -> dict[str, Any]:
    group = "".join(part.capitalize() for part in (resource.group.split(".")[0] or "core", resource.version))
    scope = "Namespaced" if resource.namespaced and not word_after else ""
    operation: dict[str, Any] = {
        "operationId": f"{word}{group}{scope}{resource.kind}{sub.capitalize()}{word_after}",
        "description": f"{word} {sub + ' of ' if sub else ''}{resource.plural if word == 'list' else resource.kind}",
        "tags": [f"{resource.group or 'core'}_{resource.version}"],
        "parameters": [_parameter(name) for name in query],
        "responses": {"200": _response(_answer(action, body)), "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {
            "group": resource.group,
            "version": resource.version,
            "kind": resource.kind,
        },
    }
    content = _request(resource, action, body)
    if content:
        operation["requestBody"] = {"content": content, **({"required": True} if action != "delete" else {})}
    return operation


def _answer(action: str, body: str) -> str:
    return _META + "Status" if action in ("delete", "deletecollection") else body


def _request(resource: Resource, action: str, body: str) -> dict[str, Any]:
    if action in ("post", "put"):
        return {kind: _schema(body) for kind in ("*/*",)}
    if action == "patch":
        kinds = (
            (_APPLY, _JSON_PATCH, _MERGE_PATCH) if resource.custom else (_APPLY, _JSON_PATCH, _MERGE_PATCH, _STRATEGIC)
        )
        return {kind: _schema(_META + "Patch") for kind in kinds}
    if action in ("delete", "deletecollection"):
        return {"*/*": _schema(_META + "DeleteOptions")}
    return {}


def _schema(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": reference(name)}} if name else {"schema": {"type": "string"}}


def _response(name: str) -> dict[str, Any]:
    return {"description": "OK", "content": {kind: _schema(name) for kind in _BODIES}}


def _place(resource: Resource, *, named: bool) -> list[dict[str, Any]]:
    """The parameters of a path: where the object is."""
    found = []
    if named:
        found.append(_segment("name", f"name of the {resource.kind}"))
    if resource.namespaced:
        found.append(_segment("namespace", "object name and auth scope, such as for teams and projects"))
    return [*found, _parameter("pretty")]


def _segment(name: str, text: str) -> dict[str, Any]:
    schema = {"type": "string", "uniqueItems": True}
    return {"name": name, "in": "path", "description": text, "required": True, "schema": schema}


def _parameter(name: str) -> dict[str, Any]:
    kind, text = _QUERY[name]
    return {"name": name, "in": "query", "description": text, "schema": {"type": kind, "uniqueItems": True}}
