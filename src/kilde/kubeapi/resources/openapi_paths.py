"""The `paths` of an OpenAPI v3 document: the operations of a resource and its sub-resources, named as a real server names them.

kubectl reads from them whether a PATCH takes `fieldValidation` and which patch media types, by `x-kubernetes-group-version-kind`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kilde.kubeapi.resources import openapi_parameters as parameters
from kilde.kubeapi.resources.kinds import DELETE_ANSWERS_OBJECT, Resource, SubResource
from kilde.kubeapi.resources.openapi_parameters import Operation, path_item
from kilde.kubeapi.resources.openapi_schemas import META, body_name, definition_name, reference

_APPLY, _JSON_PATCH, _MERGE_PATCH = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
)
_STRATEGIC = "application/strategic-merge-patch+json"
_JSON, _PROTOBUF, _YAML = "application/json", "application/vnd.kubernetes.protobuf", "application/yaml"
ANSWERS = (_JSON, _PROTOBUF, _YAML)
_STREAMED = (_JSON + ";stream=watch", _PROTOBUF + ";stream=watch")
_SUCCESSES = {"200": "OK", "201": "Created", "202": "Accepted"}
_UNAUTHORIZED = {"401": {"description": "Unauthorized"}}
_VOWELS = "aeiouAEIOU"
_DEPRECATED = "deprecated: use the 'watch' parameter with a list operation instead"
_TO_ONE = ", filtered to a single item with the 'fieldSelector' parameter."
# verb -> HTTP method, word in the operation's name, what it does, query parameters
_ON_ITEM: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = {
    "get": ("get", "read", "read", ()),
    "update": ("put", "replace", "replace", parameters.WRITING),
    "patch": ("patch", "patch", "partially update", (*parameters.WRITING, "force")),
    "delete": ("delete", "delete", "delete", parameters.DELETING),
}
# What a proxy passes on; other connections are begun by two of them.
_CONNECTED = {
    "get": ("get",),
    "create": ("post",),
    "update": ("put",),
    "patch": ("patch",),
    "delete": ("delete", "head", "options"),
}


class _Said(NamedTuple):
    """One operation: the first word of its name and the rest, what it does, Kubernetes' word for that, how it is asked and answered.

    `media` is what it answers besides or (of connections, which have no other) instead of the usual types.
    """

    word: str
    name: str
    text: str
    action: str
    query: tuple[str, ...]
    answer: str
    codes: tuple[str, ...] = ("200",)
    body: Mapping[str, Any] | None = None
    media: tuple[str, ...] = ()


def valid_name(text: str, *, capital: bool = False) -> str:
    """Words run together, the first letter of each but the first a capital: `rbac.authorization` → `rbacAuthorization`."""
    words = [word for word in re.split(r"[^A-Za-z0-9_]+", text) if word]
    return "".join(
        word if not number and not capital else word[0].upper() + word[1:] for number, word in enumerate(words)
    )


def group_name(group: str) -> str:
    """A group as operations and tags name it; "" is the core group."""
    return valid_name(group.removesuffix(".k8s.io") or "core")


def paths_of(resource: Resource, root: str, minor: int) -> dict[str, Any]:
    """The path items of a resource below `/api/v1` or `/apis/<group>/<version>`, as Kubernetes 1.`minor` has them."""
    return dict(_Paths(resource, root, minor).all())


class _Paths:
    """The paths of one resource."""

    def __init__(self, resource: Resource, root: str, minor: int) -> None:
        self._resource, self._root, self._minor = resource, root, minor
        self._verbs = resource.verbs
        self._media = (_JSON, _YAML) if resource.custom else ANSWERS
        below = f"namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else resource.plural
        self._below = below
        self._name = ("Namespaced" if resource.namespaced else "") + resource.kind
        self._body, self._many = definition_name(resource), definition_name(resource, resource.list_kind_name)
        text = "object name and auth scope, such as for teams and projects"
        self._space = [parameters.segment("namespace", text)] if resource.namespaced else []
        self._place = [parameters.segment("name", f"name of the {resource.kind}"), *self._space]

    def all(self) -> Iterator[tuple[str, Any]]:
        """Path → path item."""
        resource, root = self._resource, self._root
        collection = self._collection()
        if collection:
            yield f"{root}/{self._below}", path_item(collection, self._space)
        everywhere = resource.namespaced and "list" in self._verbs
        if everywhere:
            yield f"{root}/{resource.plural}", path_item({"get": self._list(resource.kind + "ForAllNamespaces")}, ())
        item = dict(self._item("", self._verbs, self._body))
        if item:
            yield f"{root}/{self._below}/{{name}}", path_item(item, self._place)
        for sub in resource.sub_resources:
            yield from self._sub(sub)
        if "watch" in self._verbs and not resource.custom:
            yield from self._watches()

    def _collection(self) -> dict[str, Operation]:
        kind, found = self._resource.kind, dict[str, Operation]()
        if "list" in self._verbs:
            found["get"] = self._list(self._name)
        if "create" in self._verbs:
            found["post"] = self._create(self._name, f"create{_a(kind)}{kind}", self._body)
        if "deletecollection" in self._verbs:
            custom = self._resource.custom
            query = parameters.LISTING if custom else (*parameters.DELETING, *parameters.SELECTING)
            body = None if custom else self._sent(META + "DeleteOptions")
            name, text = f"Collection{self._name}", f"delete collection of {kind}"
            said = _Said("delete", name, text, "deletecollection", query, META + "Status", body=body)
            found["delete"] = self._operation(said)
        return found

    def _list(self, name: str) -> Operation:
        custom = self._resource.custom
        watched = "or watch " if "watch" in self._verbs and not custom else ""
        text = f"list {watched}objects of kind {self._resource.kind}"
        media = () if custom else _STREAMED
        return self._operation(_Said("list", name, text, "list", parameters.LISTING, self._many, media=media))

    def _watches(self) -> Iterator[tuple[str, Any]]:
        root, kind = f"{self._root}/watch", self._resource.kind
        lists = {self._below: (self._name + "List", self._space)}
        if self._resource.namespaced:
            lists[self._resource.plural] = (kind + "ListForAllNamespaces", [])
        many = f"watch individual changes to a list of {kind}. {_DEPRECATED}."
        for below, (name, place) in lists.items():
            yield f"{root}/{below}", path_item({"get": self._watch(name, many, "watchlist")}, place)
        if "get" in self._verbs:
            one = f"watch changes to an object of kind {kind}. {_DEPRECATED}{_TO_ONE}"
            yield (
                f"{root}/{self._below}/{{name}}",
                path_item({"get": self._watch(self._name, one, "watch")}, self._place),
            )

    def _watch(self, name: str, text: str, action: str) -> Operation:
        event = META + "WatchEvent"
        return self._operation(_Said("watch", name, text, action, parameters.LISTING, event, media=_STREAMED))

    def _create(self, name: str, text: str, body: str) -> Operation:
        return self._operation(
            _Said(
                "create",
                name,
                text,
                "post",
                parameters.WRITING,
                body,
                ("200", "201", "202"),
                self._sent(body, needed=True),
            )
        )

    def _item(self, sub: str, verbs: tuple[str, ...], body: str) -> Iterator[tuple[str, Operation]]:
        kind, name = self._resource.kind, self._name + sub.capitalize()
        for verb, (method, word, does, query) in _ON_ITEM.items():
            if verb not in verbs:
                continue
            about = f"{does} {sub + ' of ' if sub else ''}the specified {kind}"
            said = _Said(word, name, about, method, query, body)
            if verb == "update":
                said = said._replace(codes=("200", "201"), body=self._sent(body, needed=True))
            elif verb == "patch":
                codes = ("200",) if self._resource.custom else ("200", "201")
                said = said._replace(codes=codes, body=self._patches())
            elif verb == "delete":
                whole = (self._resource.group, kind) in DELETE_ANSWERS_OBJECT
                text = f"delete{_a(kind)}{kind}"
                said = said._replace(text=text, codes=("200", "202"), body=self._sent(META + "DeleteOptions"))
                said = said if whole else said._replace(answer=META + "Status")
            elif sub == "log":
                said = said._replace(query=parameters.LOG, answer="", media=("text/plain",))
            elif self._resource.custom:
                said = said._replace(query=("resourceVersion",))
            yield method, self._operation(said)

    def _sent(self, name: str, *, needed: bool = False) -> Mapping[str, Any]:
        kinds = self._media if self._resource.custom else ("*/*",)
        return {"content": {kind: _schema(name) for kind in kinds}} | ({"required": True} if needed else {})

    def _patches(self) -> Mapping[str, Any]:
        kinds = (_APPLY, _JSON_PATCH, _MERGE_PATCH, *(() if self._resource.custom else (_STRATEGIC,)))
        return {"content": {kind: _schema(META + "Patch") for kind in kinds}, "required": True}

    def _sub(self, sub: SubResource) -> Iterator[tuple[str, Any]]:
        path = f"{self._root}/{self._below}/{{name}}/{sub.name}"
        if sub.body[2] in parameters.CONNECTING:
            yield from self._connections(path, sub)
            return
        kind, body = self._resource.kind, body_name(self._resource, sub.body)
        found = dict(self._item(sub.name, sub.verbs, body))
        if "create" in sub.verbs:
            name = self._name + sub.name.capitalize()
            found["post"] = self._create(name, f"create {sub.name} of{_a(kind)}{kind}", body)
        group, version, kind = sub.body
        of = {"group": group, "version": version, "kind": kind} if version else {**self._identity(), "kind": kind}
        for operation in found.values():
            if not self._resource.custom:
                operation["x-kubernetes-group-version-kind"] = of
        yield path, path_item(found, self._place)

    def _connections(self, path: str, sub: SubResource) -> Iterator[tuple[str, Any]]:
        kind, query = sub.body[2], parameters.CONNECTING[sub.body[2]]
        methods = [method for verb in sub.verbs for method in _CONNECTED[verb]]
        behind = [("", path, self._place)]
        if sub.name == "proxy":
            place = [*self._place, parameters.segment("path", "path to the resource")]
            behind.append(("WithPath", path + "/{path}", place))
        for after, at, place in behind:
            found = {}
            for method in methods:
                name = f"{method.capitalize()}{self._name}{sub.name.capitalize()}{after}"
                text = f"connect {method.upper()} requests to {sub.name} of {self._resource.kind}"
                said = _Said("connect", name, text, "connect", query, "", media=("*/*",))
                found[method] = self._operation(said)
                found[method]["x-kubernetes-group-version-kind"] = {**self._identity(), "kind": kind}
            yield at, path_item(found, place)

    def _identity(self) -> dict[str, str]:
        return {"group": self._resource.group, "version": self._resource.version, "kind": self._resource.kind}

    def _operation(self, said: _Said) -> Operation:
        group = group_name(self._resource.group)
        media = said.media if said.action == "connect" else (*self._media, *said.media)
        content = {kind: _schema(said.answer) for kind in media}
        answers = {code: {"description": _SUCCESSES[code], "content": content} for code in said.codes}
        query = said.query if said.action == "connect" else (*said.query, "pretty")
        operation: Operation = {
            "operationId": f"{said.word}{valid_name(group, capital=True)}{valid_name(self._resource.version, capital=True)}{said.name}",
            "description": said.text,
            "tags": [f"{group}_{self._resource.version}"],
            "parameters": [parameters.query(name) for name in query if parameters.SINCE.get(name, 0) <= self._minor],
            "responses": answers | _UNAUTHORIZED,
            "x-kubernetes-action": said.action,
            "x-kubernetes-group-version-kind": self._identity(),
        }
        return operation | ({"requestBody": dict(said.body)} if said.body else {})


def looked_up(name: str, tag: str, text: str, media: tuple[str, ...], answer: str) -> Operation:
    """An operation that only tells: GET of a path without parameters."""
    content = {kind: _schema(answer) for kind in media}
    return {
        "description": text,
        "operationId": name,
        "responses": {"200": {"description": "OK", "content": content}} | _UNAUTHORIZED,
        "tags": [tag],
    }


def _a(kind: str) -> str:
    """The article before a kind, with blanks around it; one that looks like a plural has none."""
    if kind.endswith("s") and not kind.endswith("ss"):
        return " "
    return " an " if kind[0] in _VOWELS else " a "


def _schema(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": reference(name)}} if name else {"schema": {"type": "string"}}
