"""Sequences of requests about areas that recordings have few cases of: server-side apply of every type of list and map, what is wrong with
an apply, sub-resources, deletes and status, each with its own namespace. `THINGS` is the custom kind they are about."""

from typing import Any

from differential.steps import APPLY, JSON_PATCH, MERGE, STRATEGIC, UID, VERSION, Step

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_ITEM = {"type": "object", "required": ["name"], "properties": {"name": _TEXT, "value": _TEXT, "n": _NUMBER}}
_PORT = {
    "type": "object",
    "required": ["port"],
    "properties": {"port": _NUMBER, "protocol": {"type": "string", "default": "TCP"}, "name": _TEXT},
}
_SPEC: dict[str, Any] = {
    "replicas": _NUMBER,
    "name": _TEXT,
    "set": {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set"},
    "numbers": {"type": "array", "items": _NUMBER, "x-kubernetes-list-type": "set"},
    "list": {"type": "array", "items": _TEXT},
    "items": {"type": "array", "items": _ITEM, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "ports": {
        "type": "array",
        "items": _PORT,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["port", "protocol"],
    },
    "map": {"type": "object", "additionalProperties": _TEXT},
    "whole": {"type": "object", "additionalProperties": _TEXT, "x-kubernetes-map-type": "atomic"},
    "struct": {"type": "object", "properties": {"x": _TEXT, "y": {"type": "object", "properties": {"z": _TEXT}}}},
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "maybe": {"type": "string", "nullable": True},
    "default": {"type": "string", "default": "d"},
    "any": {"x-kubernetes-int-or-string": True},
}
_STATUS = {
    "type": "object",
    "properties": {
        "phase": _TEXT,
        "replicas": _NUMBER,
        "conditions": {
            "type": "array",
            "items": {"type": "object", "required": ["type"], "properties": {"type": _TEXT, "status": _TEXT}},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    },
}
THINGS: dict[str, Any] = {
    "metadata": {"name": "things.fuzz.test"},
    "spec": {
        "group": "fuzz.test",
        "scope": "Namespaced",
        "names": {
            "plural": "things",
            "singular": "thing",
            "kind": "Thing",
            "shortNames": ["th"],
            "categories": ["all"],
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                },
                "additionalPrinterColumns": [
                    {"name": "Size", "type": "integer", "jsonPath": ".spec.replicas"},
                    {"name": "First", "type": "string", "jsonPath": ".spec.items[0].name", "priority": 1},
                ],
                "selectableFields": [{"jsonPath": ".spec.name"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": {"type": "object", "properties": _SPEC}, "status": _STATUS},
                    }
                },
            }
        ],
    },
}


class Of:
    """Requests about one object, `x` unless named."""

    def __init__(self, root: str, plural: str, kind: str, name: str = "x") -> None:
        self.all = f"/{root}/namespaces/{{ns}}/{plural}"
        self.one = f"{self.all}/{name}"
        version = root.removeprefix("apis/").removeprefix("api/")
        self.head: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": name}}

    def post(self, body: dict[str, Any], query: str = "") -> Step:
        return Step("POST", self.all + query, {**self.head, **body}, about=self.one)

    def put(self, body: dict[str, Any], query: str = "", below: str = "") -> Step:
        return Step("PUT", self.one + below + query, {**self.head, **body}, about=self.one)

    def apply(self, manager: str, body: dict[str, Any], query: str = "", below: str = "") -> Step:
        return Step("PATCH", f"{self.one}{below}?fieldManager={manager}{query}", {**self.head, **body}, APPLY, self.one)

    def patch(self, media: str, body: Any, query: str = "", below: str = "") -> Step:
        return Step("PATCH", f"{self.one}{below}?fieldManager=m{query}", body, media, self.one)

    def raw(self, method: str, below: str = "", body: Any = None, media: str = "application/json") -> Step:
        return Step(method, self.one + below, body, media, self.one)


T = Of("apis/fuzz.test/v1", "things", "Thing")
MAPS, SECRETS = Of("api/v1", "configmaps", "ConfigMap"), Of("api/v1", "secrets", "Secret")
PODS, SERVICES = Of("api/v1", "pods", "Pod"), Of("api/v1", "services", "Service")
DEPLOYMENTS = Of("apis/apps/v1", "deployments", "Deployment")
_FORCE = "&force=true"


def _spec(**fields: Any) -> dict[str, Any]:
    return {"spec": fields}


def _applied(*turns: tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], str]) -> list[Step]:
    return [T.apply(turn[0], {"spec": turn[1]}, turn[2] if len(turn) > 2 else "") for turn in turns]


def _deployment(**container: Any) -> dict[str, Any]:
    labels = {"app": "a"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i", **container}]}}
    return {"spec": {"selector": {"matchLabels": labels}, "template": pod}}


_LAST = "kubectl.kubernetes.io/last-applied-configuration"
_CLIENT = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1","b":"2"}}'
_BAD_OWNER = {"manager": "m", "operation": "Update", "apiVersion": "fuzz.test/v1", "fieldsType": "FieldsV1"}

APPLIES: dict[str, list[Step]] = {
    "sets": _applied(
        ("a", {"set": ["x", "y"]}),
        ("b", {"set": ["y", "z"]}),
        ("a", {"set": ["x"]}),
        ("c", {"set": ["z", "x", "w"]}),
        ("b", {"set": []}),
        ("a", {"set": None}),
        ("c", {}),
        ("a", {"set": ["x", "x"]}),
        ("a", {"set": [None]}),
        ("a", {"set": [["x"]]}),
        ("a", {"set": "x"}),
        ("a", {"numbers": [1, 2, 1.0]}),
        ("a", {"numbers": [3, 1, 2]}),
        ("b", {"numbers": [2, 9, 3]}),
    ),
    "keyed items": _applied(
        ("a", {"items": [{"name": "p", "value": "1"}, {"name": "q", "value": "2"}]}),
        ("b", {"items": [{"name": "q", "n": 2}, {"name": "r"}, {"name": "p"}]}),
        ("b", {"items": [{"name": "q", "value": "3", "n": 4}, {"name": "p", "value": "5"}]}),
        ("b", {"items": [{"name": "q", "value": "3", "n": 4}, {"name": "p", "value": "5"}]}, _FORCE),
        ("a", {"items": [{"name": "p"}]}),
        ("a", {"items": [{"name": "p"}, {"name": "p"}]}),
        ("a", {"items": [{"value": "p"}]}),
        ("a", {"items": [None]}),
        ("a", {"items": [{"name": None}]}),
        ("a", {"items": [{"name": 1}]}),
        ("a", {"items": {"name": "p"}}),
        ("a", {"items": [{"name": "p", "bogus": 1}]}),
        ("a", {"items": []}),
        ("b", {}),
    ),
    "items of two keys": _applied(
        ("a", {"ports": [{"port": 80, "name": "http"}, {"port": 80, "protocol": "UDP"}]}),
        ("b", {"ports": [{"port": 80, "protocol": "TCP", "name": "web"}]}),
        ("b", {"ports": [{"port": 80, "protocol": "TCP", "name": "web"}]}, _FORCE),
        ("b", {"ports": [{"port": 81}, {"port": 80, "protocol": "UDP", "name": "u"}, {"port": 80}]}),
        ("a", {"ports": [{"port": 80, "protocol": "UDP"}]}),
        ("a", {"ports": [{"port": 80}, {"port": 80, "protocol": "TCP"}]}),
        ("a", {"ports": [{"protocol": "TCP"}]}),
        ("a", {"ports": [{"name": "n"}]}),
        ("a", {"ports": [{}]}),
        ("b", {"ports": []}),
    ),
    "atomic lists and maps": _applied(
        ("a", {"list": ["x", "y"], "whole": {"k": "1"}}),
        ("b", {"list": ["x", "y"], "whole": {"k": "1"}}),
        ("b", {"list": ["x"], "whole": {"k": "1", "l": "2"}}),
        ("b", {"list": ["x"], "whole": {"k": "1", "l": "2"}}, _FORCE),
        ("a", {"list": []}, _FORCE),
        ("b", {"whole": {}}),
        ("b", {"whole": None}),
        ("b", {}),
        ("a", {}),
    ),
    "maps, structs and what is free": _applied(
        ("a", {"map": {"k": "1"}, "struct": {"y": {"z": "1"}}, "free": {"m": {"p": 1}, "l": [1]}}),
        ("b", {"map": {"k": "2", "l": "3"}, "struct": {"y": {"z": "2"}, "x": "1"}}),
        ("b", {"map": {"k": "2", "l": "3"}, "struct": {"y": {"z": "2"}, "x": "1"}}, _FORCE),
        ("b", {"map": {}, "struct": {}, "free": {}}),
        ("a", {"map": {"k": None}, "maybe": None}),
        ("a", {"struct": None, "map": None, "free": None}),
        ("a", {"free": {"l": [2], "m": {"p": "x", "q": None}}, "any": 1}),
        ("b", {"any": "1", "free": {"l": [1], "m": 1}}),
        ("b", {"any": "1", "free": {"l": [1], "m": 1}}, _FORCE),
        ("b", {"any": {}}),
        ("b", {"default": "e"}),
        ("b", {}),
        ("c", {"default": "d", "replicas": 1.0}),
        ("c", {"replicas": 1.5}),
        ("c", {"name": 1}),
    ),
    "an update becomes an apply": [
        T.post(_spec(name="n", replicas=1, set=["x"], items=[{"name": "p", "value": "1"}]), "?fieldManager=creator"),
        T.apply("creator", _spec(name="n", replicas=1)),
        T.apply("a", _spec(replicas=2, name="o", items=[{"name": "p", "value": "2"}])),
        T.apply("a", _spec(replicas=2, name="o", items=[{"name": "p", "value": "2"}]), _FORCE),
        T.patch(MERGE, _spec(replicas=3, set=None)),
        T.apply("a", _spec(replicas=2), "&force=false"),
        T.patch(JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 2}]),
        T.apply("a", _spec(replicas=2)),
        T.put({**_spec(), "metadata": {"name": "x", "resourceVersion": VERSION}}, "?fieldManager=creator"),
        T.apply("a", _spec()),
    ],
    "kubectl takes over what it applied from its own side": [
        MAPS.post(
            {"metadata": {"name": "x", "annotations": {_LAST: _CLIENT}}, "data": {"a": "1", "b": "2"}},
            "?fieldManager=kubectl-client-side-apply",
        ),
        MAPS.apply("kubectl", {"data": {"a": "2"}}),
        MAPS.apply("other", {"data": {"a": "3", "b": "3"}}),
        MAPS.apply("kubectl", {"data": {"a": "2", "c": "3"}}),
        MAPS.apply("kubectl", {"metadata": {"name": "x", "annotations": {_LAST: _CLIENT}}, "data": {"a": "2"}}),
        MAPS.patch(MERGE, {"metadata": {"annotations": {_LAST: None}}}),
        MAPS.apply("kubectl", {"data": {"b": "7"}}),
    ],
    "managedFields that are cleared, kept and wrong": [
        T.apply("a", _spec(name="n", map={"k": "1"})),
        T.patch(MERGE, {"metadata": {"managedFields": []}}),
        T.patch(MERGE, {"metadata": {"managedFields": None}}),
        T.patch(JSON_PATCH, [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]),
        T.patch(MERGE, {"metadata": {"labels": {"a": "b"}}}),
        T.apply("b", _spec(name="o")),
        T.apply("b", _spec(name="o"), _FORCE),
        T.patch(JSON_PATCH, [{"op": "remove", "path": "/metadata/managedFields"}]),
        T.patch(MERGE, {"metadata": {"managedFields": [_BAD_OWNER]}}),
        T.patch(MERGE, {"metadata": {"managedFields": [{**_BAD_OWNER, "fieldsV1": {"f:spec": {"f:x": 1}}}]}}),
        T.patch(MERGE, {"metadata": {"managedFields": [{**_BAD_OWNER, "fieldsV1": {"f:spec": {}}}]}}),
        T.patch(MERGE, {"metadata": {"managedFields": [{**_BAD_OWNER, "operation": "Nope", "fieldsV1": {}}]}}),
        T.patch(MERGE, {"metadata": {"managedFields": [{**_BAD_OWNER, "fieldsType": "X", "fieldsV1": {}}]}}),
        T.patch(MERGE, {"metadata": {"managedFields": [{**_BAD_OWNER, "manager": "m" * 129, "fieldsV1": {}}]}}),
        T.patch(MERGE, {"metadata": {"managedFields": [{**_BAD_OWNER, "subresource": "s" * 300, "fieldsV1": {}}]}}),
        T.patch(MERGE, {"metadata": {"managedFields": "x"}}),
        T.apply("a", {"metadata": {"name": "x", "managedFields": [{}]}, **_spec()}),
        T.apply("a", {"metadata": {"name": "x", "managedFields": None}, **_spec()}),
    ],
    "sub-resources have managers of their own": [
        T.apply("a", {**_spec(replicas=1), "status": {"phase": "no"}}),
        T.apply("c", {"status": {"phase": "R", "conditions": [{"type": "A", "status": "True"}]}}, below="/status"),
        T.apply("d", {"status": {"phase": "S"}, **_spec(replicas=9)}, below="/status"),
        T.apply("d", {"status": {"phase": "S"}, **_spec(replicas=9)}, _FORCE, "/status"),
        T.patch(MERGE, {"status": {"conditions": [{"type": "B"}]}}, below="/status"),
        T.apply("c", {"status": {"phase": "R", "conditions": [{"type": "A", "status": "True"}]}}, below="/status"),
        T.apply("c", {"status": {}}, below="/status"),
        T.apply("c", {"metadata": {"name": "x", "labels": {"a": "b"}}, "status": {"phase": "S"}}, below="/status"),
        T.patch(MERGE, {"spec": {"replicas": 4}}, below="/scale"),
        T.apply("a", _spec(replicas=1)),
        T.patch(MERGE, {"spec": {"replicas": -1}}, below="/scale"),
        T.patch(MERGE, {"spec": {"replicas": 5}, "metadata": {"resourceVersion": "1"}}, below="/scale"),
        T.patch(MERGE, {"spec": {"replicas": 5}, "status": {"replicas": 5}}, below="/scale"),
        T.raw("GET", "/scale"),
        T.raw("GET", "/status"),
        T.put({"status": {"phase": "P"}}, "?fieldManager=p", "/status"),
        T.put({"metadata": {"name": "x", "resourceVersion": VERSION}, "status": {"phase": "P"}}, "", "/status"),
        T.patch(MERGE, {"status": {"phase": 1}}, below="/status"),
    ],
    "what is wrong with an apply": [
        Step("PATCH", T.one, {**T.head, **_spec()}, APPLY, T.one),
        T.apply("", _spec()),
        T.apply("a" * 129, _spec()),
        T.apply("a%0Ab", _spec()),
        T.apply("a%20b", _spec()),
        T.apply("a", _spec(), "&force=x"),
        T.apply("a", _spec(), "&dryRun=x"),
        T.apply("a", _spec(), "&dryRun=All&dryRun=All"),
        T.apply("a", _spec(name="n"), "&dryRun=All"),
        T.raw("GET"),
        T.apply("a", _spec(), "&fieldValidation=Nope"),
        T.apply("a", _spec(bogus=1), "&fieldValidation=Warn"),
        T.apply("a", {"bogus": 1, **_spec()}, "&fieldValidation=Ignore"),
        T.apply("a", {"kind": "Other"}),
        T.apply("a", {"kind": ""}),
        T.apply("a", {"apiVersion": "fuzz.test/v2"}),
        T.apply("a", {"apiVersion": "other.test/v1"}),
        T.apply("a", {"metadata": {"name": "y"}}),
        T.apply("a", {"metadata": {}}),
        T.apply("a", {"metadata": {"generateName": "x-"}}),
        T.apply("a", {"metadata": {"name": "x", "namespace": "other"}}),
        T.apply("a", {"metadata": {"name": "x", "uid": "11111111-1111-1111-1111-111111111111"}}),
        T.apply("a", {"metadata": {"name": "x", "resourceVersion": "1"}}),
        T.apply("a", {"metadata": {"name": "x", "labels": {"a": 1}}}),
        T.apply("a", {"metadata": {"name": "x", "labels": {"a": "b c"}}}),
        T.apply("a", {"metadata": {"name": "x", "creationTimestamp": None}}),
        T.apply("a", {"metadata": {"name": "x", "creationTimestamp": "2024-01-01T00:00:00Z"}}),
        T.apply("a", {"metadata": None}),
        T.apply("a", {"metadata": []}),
        T.apply("a", {"spec": []}),
        T.apply("a", {"spec": None}),
        *(
            Step("PATCH", f"{T.one}?fieldManager=a", body, APPLY, T.one)
            for body in (b"", b"[]", b"1", b"- a", b"null", b"~")
        ),
        T.raw("PATCH", "?force=true", {}, MERGE),
        T.raw("PATCH", "?fieldManager=a", {}, "application/apply-patch+json"),
        T.raw("PATCH", "?fieldManager=a", {}, "application/apply-patch+cbor"),
        T.raw("PATCH", "?fieldManager=a", {}, STRATEGIC),
        T.raw("PATCH", "/nope?fieldManager=a", {**T.head}, APPLY),
    ],
    "an apply of what is there by its version and uid": [
        T.apply("a", _spec(name="n")),
        T.apply("a", {"metadata": {"name": "x", "resourceVersion": VERSION, "uid": UID}, **_spec(name="o")}),
        T.apply("b", {"metadata": {"name": "x", "resourceVersion": "1"}, **_spec(name="n")}),
        T.apply("b", {"metadata": {"name": "x", "resourceVersion": "x"}, **_spec(name="o")}),
        T.apply("b", {"metadata": {"name": "x", "uid": "11111111-1111-1111-1111-111111111111"}, **_spec()}),
        T.apply("b", {"metadata": {"name": "x", "generation": 7}, **_spec()}),
        T.apply("b", {"metadata": {"name": "x", "deletionTimestamp": "2024-01-01T00:00:00Z"}, **_spec()}),
        T.apply("b", {"metadata": {"name": "x", "finalizers": ["a.b/c"], "ownerReferences": []}, **_spec()}),
        T.apply("c", {"metadata": {"name": "x", "finalizers": ["a.b/c", "a.b/d"]}, **_spec()}),
        T.raw("DELETE"),
        T.apply("c", {"metadata": {"name": "x", "finalizers": ["a.b/e"]}, **_spec()}),
        T.apply("c", {"metadata": {"name": "x"}, **_spec()}),
        T.apply("b", {"metadata": {"name": "x"}, **_spec()}),
        T.raw("GET"),
    ],
    "a Deployment of two managers": [
        DEPLOYMENTS.apply("a", _deployment(env=[{"name": "A", "value": "1"}], ports=[{"containerPort": 80}])),
        DEPLOYMENTS.apply("b", {"spec": {"replicas": 3, "template": {"spec": {"nodeSelector": {"k": "v"}}}}}),
        DEPLOYMENTS.apply("a", _deployment(env=[{"name": "B", "value": "1"}, {"name": "A", "value": "2"}])),
        DEPLOYMENTS.apply("b", _deployment(image="j", env=[{"name": "A", "value": "3"}])),
        DEPLOYMENTS.apply("b", _deployment(image="j", env=[{"name": "A", "value": "3"}]), _FORCE),
        DEPLOYMENTS.apply("c", _deployment(ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}])),
        DEPLOYMENTS.apply("c", _deployment(ports=[{"containerPort": 80, "protocol": "UDP"}], image="j")),
        DEPLOYMENTS.apply("c", {"spec": {"selector": {"matchLabels": {"app": "b"}}}}),
        DEPLOYMENTS.apply("c", {"spec": {"selector": {"matchLabels": {"app": "b"}}}}, _FORCE),
        DEPLOYMENTS.apply("c", {"spec": {"template": {"spec": {"nodeSelector": {"k": "w", "l": "x"}}}}}),
        DEPLOYMENTS.apply("c", {"spec": {"strategy": {"type": "Recreate"}}}),
        DEPLOYMENTS.apply("c", {"spec": {"bogus": 1}}),
        DEPLOYMENTS.apply("c", {"spec": {"replicas": "1"}}),
        DEPLOYMENTS.apply("s", {"status": {"replicas": 1}}, below="/status"),
        DEPLOYMENTS.apply("s", {"status": {"replicas": 1, "observedGeneration": 1}}, below="/status"),
        DEPLOYMENTS.apply("a", {"spec": {}}),
        DEPLOYMENTS.apply("a", {}),
    ],
    "Secrets and Services": [
        SECRETS.apply("a", {"stringData": {"k": "v"}, "data": {"l": "dg=="}}),
        SECRETS.apply("a", {"stringData": {"k": "v"}}),
        SECRETS.apply("b", {"data": {"k": "eA=="}}),
        SECRETS.apply("b", {"data": {"k": "not base64!"}}),
        SECRETS.apply("b", {"immutable": True, "type": "a/b"}),
        SERVICES.apply("a", {"spec": {"selector": {"a": "b"}, "ports": [{"port": 80, "name": "x"}]}}),
        SERVICES.apply("b", {"spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "y", "targetPort": "z"}]}}),
        SERVICES.apply("b", {"spec": {"ports": [{"port": 81, "name": "y"}], "selector": {"c": "d"}}}),
        SERVICES.apply("a", {"spec": {"type": "NodePort", "ports": [{"port": 81, "name": "y", "nodePort": 30020}]}}),
        SERVICES.apply("a", {"spec": {"ports": []}}),
        SERVICES.apply("b", {"spec": {}}),
    ],
}
