"""What the real API server says of a CustomResourceDefinition that is wrong in one way or several, ours says too."""

import copy
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(900)]

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All"
TEXT: dict[str, Any] = {"type": "string"}
LIST: dict[str, Any] = {"type": "array", "items": TEXT}
ITEMS: dict[str, Any] = {"type": "object", "required": ["k"], "properties": {"k": TEXT, "v": TEXT}}
RULE = {"rule": "self.size() > 0", "message": "not empty"}
FIXED = {"rule": "self == oldSelf", "message": "fixed"}
FIXED_RULES: dict[str, Any] = {"x-kubernetes-validations": [FIXED]}

# The schema of `spec.f`, each wrong (or odd) in its own way.
FIELDS: tuple[dict[str, Any], ...] = (
    {},
    {"type": ""},
    {"type": "text"},
    {"type": "null"},
    {"nullable": True},
    {"type": "array"},
    {"type": "array", "items": {}},
    {"type": "array", "items": [TEXT]},
    {"type": "array", "items": []},
    {"type": "object", "items": TEXT},
    {"type": "object", "uniqueItems": True},
    {"type": "object", "additionalProperties": False},
    {"type": "object", "additionalProperties": True},
    {"type": "object", "additionalProperties": {}},
    {"type": "object", "additionalProperties": TEXT, "properties": {"a": TEXT}},
    {"type": "object", "additionalProperties": True, "properties": {"a": TEXT}},
    {"type": "object", "additionalProperties": False, "properties": {"a": TEXT}},
    {"type": "object", "properties": {"a": {}}},
    {"type": "object", "properties": {"a": None}},
    {"type": "string", "pattern": "("},
    {"type": "string", "pattern": "a{2,1}"},
    {"type": "string", "id": "x"},
    {"type": "string", "$ref": "#/definitions/x"},
    {"type": "string", "$schema": "x"},
    {"type": "object", "patternProperties": {"a": TEXT}},
    {"type": "object", "definitions": {"a": TEXT}},
    {"type": "object", "definitions": {"a": {"type": "nope"}}},
    {"type": "object", "dependencies": {"a": ["b"]}},
    {"type": "array", "items": TEXT, "additionalItems": False},
    {"x-kubernetes-preserve-unknown-fields": False},
    {"x-kubernetes-preserve-unknown-fields": True},
    {"type": "string", "x-kubernetes-preserve-unknown-fields": True},
    {"x-kubernetes-int-or-string": True},
    {"x-kubernetes-int-or-string": True, "type": "string"},
    {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
    {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
    {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "string"}, {"type": "integer"}]},
    {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}, {"minLength": 1}]},
    {
        "x-kubernetes-int-or-string": True,
        "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"minLength": 1}],
    },
    {
        "x-kubernetes-int-or-string": True,
        "allOf": [{"minLength": 1}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}],
    },
    {"type": "object", "x-kubernetes-embedded-resource": True},
    {"x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
    {"type": "string", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
    {"type": "object", "x-kubernetes-embedded-resource": True, "additionalProperties": TEXT},
    {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"kind": {"type": "integer"}}},
    {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"metadata": {"type": "string"}}},
    {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {
            "metadata": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"name": TEXT}}
        },
    },
    {"type": "object", "x-kubernetes-map-type": "x"},
    {"type": "string", "x-kubernetes-map-type": "atomic"},
    {"x-kubernetes-map-type": "atomic"},
    {"type": "string", "x-kubernetes-list-type": "atomic"},
    {"x-kubernetes-list-type": "atomic"},
    {**LIST, "x-kubernetes-list-type": "bag"},
    {**LIST, "x-kubernetes-list-type": "set"},
    {**LIST, "x-kubernetes-list-type": "map"},
    {**LIST, "x-kubernetes-list-map-keys": ["k"]},
    {**LIST, "x-kubernetes-list-type": "set", "x-kubernetes-list-map-keys": ["k"]},
    {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]},
    {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string", "nullable": True}},
    {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}},
    {
        "type": "array",
        "x-kubernetes-list-type": "set",
        "items": {"type": "object", "x-kubernetes-map-type": "granular"},
    },
    {"type": "array", "x-kubernetes-list-type": "set", "items": {**LIST, "x-kubernetes-list-type": "set"}},
    {"type": "array", "x-kubernetes-list-type": "map", "items": ITEMS},
    {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": ITEMS},
    {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["v"], "items": ITEMS},
    {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "k"], "items": ITEMS},
    {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "z"], "items": ITEMS},
    {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        "items": {"type": "object", "nullable": True, "properties": {"k": {"type": "string", "nullable": True}}},
    },
    {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "object"}}},
    },
    {"type": "string", "allOf": [{"type": "string"}]},
    {"type": "string", "oneOf": [{"description": "x"}, {"title": "y", "nullable": True, "default": "a"}]},
    {"type": "string", "not": {"x-kubernetes-preserve-unknown-fields": True}},
    {"type": "string", "not": {"x-kubernetes-int-or-string": True, "x-kubernetes-embedded-resource": True}},
    {"type": "array", "items": TEXT, "not": {"x-kubernetes-list-type": "set", "x-kubernetes-map-type": "atomic"}},
    {"type": "object", "anyOf": [{"properties": {"a": {"minLength": 1}}}]},
    {"type": "object", "properties": {"a": TEXT}, "anyOf": [{"properties": {"a": {"minLength": 1}}}]},
    {
        "type": "object",
        "properties": {"a": TEXT},
        "anyOf": [{"required": ["a"]}, {"properties": {"b": {"enum": ["x"]}}}],
    },
    {"type": "string", "anyOf": [{"items": {"minLength": 1}}]},
    {"type": "object", "allOf": [{"additionalProperties": TEXT}]},
    {"type": "object", "allOf": [{"additionalProperties": True}]},
    {"type": "object", "allOf": [{"additionalProperties": False}]},
    {"type": "object", "properties": {"metadata": {"type": "object"}}, "allOf": [{"properties": {"metadata": {}}}]},
    {"type": "string", "anyOf": [{"x-kubernetes-validations": [RULE]}]},
    {"type": "string", "default": 1},
    {"type": "string", "default": "a", "enum": ["b"]},
    {"type": "object", "default": {"a": "x", "z": 1}, "properties": {"a": TEXT}},
    {"type": "object", "default": {}, "required": ["a"], "properties": {"a": TEXT}},
    {"type": "object", "additionalProperties": {"type": "string", "default": 1}},
    {"type": "array", "items": {"type": "string", "default": 1}},
    {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": ""}]},
    {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "true", "message": " "}]},
    {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "true", "message": "a\nb"}]},
    {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "true\n|| false"}]},
    {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "true", "messageExpression": " "}]},
    {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "true", "reason": "Nope"}]},
    {"type": "string", "maxLength": 9, "x-kubernetes-validations": [FIXED]},
    {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "true", "optionalOldSelf": True}]},
    {"type": "string", "maxLength": 9, "x-kubernetes-validations": [{"rule": "true", "optionalOldSelf": False}]},
    {"type": "array", "maxItems": 9, "items": {**TEXT, "maxLength": 9, "x-kubernetes-validations": [FIXED]}},
    {"type": "array", "maxItems": 9, "x-kubernetes-list-type": "set", "items": {**TEXT, "maxLength": 9, **FIXED_RULES}},
    {
        "type": "array",
        "maxItems": 9,
        "items": {"type": "object", "properties": {"a": {"type": "integer", **FIXED_RULES}}},
    },
    {
        "type": "array",
        "maxItems": 9,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        "items": {**ITEMS, "x-kubernetes-validations": [FIXED, {"rule": "self.k != 'oldSelf'"}]},
    },
    {
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {"a": {"type": "integer", **FIXED_RULES}},
        "maxProperties": 9,
    },
    {"type": "object", "properties": {"a": TEXT}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".b"}]},
    {"type": "object", "properties": {"a": TEXT}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": " "}]},
    {"type": "object", "properties": {"a": TEXT}, "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".a"}]},
    {"type": "string", "maxLength": 9, "format": "nope"},
    {"type": "integer", "minimum": "x"},
)

# Changes of the root schema.
ROOTS: tuple[dict[str, Any], ...] = (
    {"type": "string"},
    {"type": ""},
    {"nullable": True},
    {"additionalProperties": True},
    {"x-kubernetes-preserve-unknown-fields": True},
    {"x-kubernetes-preserve-unknown-fields": False},
    {"default": {"spec": {}}},
    {"properties": {"metadata": {"type": "object"}}},
    {"properties": {"metadata": {"type": "object", "description": "d"}}},
    {"properties": {"metadata": {"type": "string"}}},
    {"properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 3}}}}},
    {"properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}},
    {"properties": {"metadata": {"type": "object", "required": ["name"]}}},
    {"properties": {"metadata": {"type": "object", "default": {}}}},
    {"properties": {"kind": {"type": "integer"}, "apiVersion": {"type": "string", "default": "x"}}},
    {"anyOf": [{"required": ["spec"]}]},
    {"maxProperties": 3},
    {"enum": [{}]},
)

# Whole objects with defaults, in what all objects have and of themselves.
_WHOLE = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}


def _metadata(**fields: Any) -> dict[str, Any]:
    return {**_WHOLE, "properties": {"metadata": {"type": "object", "properties": fields}}}


DEFAULTS: tuple[dict[str, Any], ...] = (
    *(
        {**_WHOLE, "properties": {"metadata": {"type": "object", "default": default}}}
        for default in (
            {"name": "x"},
            {"name": "%"},
            {"name": 1},
            {"nope": 1},
            {"labels": {"a": "b c"}},
            {"finalizers": ["a b"]},
            {"name": "%", "labels": {"-": "x"}},
        )
    ),
    *(_metadata(name={**TEXT, "default": default}) for default in ("x", "%", "")),
    _metadata(name={**TEXT, "pattern": "^a", "default": "b"}),
    *(
        _metadata(labels={"type": "object", "additionalProperties": TEXT, "default": default})
        for default in ({"a": "b"}, {"a": 1}, {"a": "b c"})
    ),
    *(_metadata(finalizers={**LIST, "default": default}) for default in (["a"], ["a b"], [1])),
    *({**_WHOLE, "properties": {"kind": {**TEXT, "default": default}}} for default in ("X", "x y", "")),
    *({**_WHOLE, "properties": {"apiVersion": {**TEXT, "default": default}}} for default in ("v1", "a/b/c", "")),
    *(
        {**_WHOLE, "default": {"apiVersion": "v1", "kind": "X", "metadata": metadata}}
        for metadata in ("x", [], {"name": 1}, {"labels": {"a": 1}}, {"ownerReferences": [{"nope": 1}]})
    ),
    {**_WHOLE, "default": {"apiVersion": 1, "kind": "X"}},
    {"type": "array", "items": _metadata(name={**TEXT, "default": "%"})},
)

# Changes of the spec: what is not there is as in a right one.
SPECS: tuple[dict[str, Any], ...] = (
    {"group": ""},
    {"group": "nodot"},
    {"group": "Bad_Group.x"},
    {"group": "x.k8s.io"},
    {"scope": ""},
    {"scope": "Wide"},
    {"preserveUnknownFields": True},
    {"names": {"plural": "", "kind": ""}},
    {"names": {"plural": "things", "kind": "thing_x", "singular": "Bad", "listKind": "thing_x"}},
    {"names": {"plural": "things", "kind": "Thing", "shortNames": ["OK", "t"], "categories": ["a b"]}},
    {"versions": []},
    {"conversion": {"strategy": "Other"}},
    {"conversion": {"strategy": "Webhook"}},
    {"conversion": {"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}},
    {"conversion": {"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {}}}},
    {"conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": [], "clientConfig": {"url": "x"}}}},
    {
        "conversion": {
            "strategy": "Webhook",
            "webhook": {
                "conversionReviewVersions": ["v9", "v9", "Bad"],
                "clientConfig": {"url": "http://u:p@h/x?q=1#f", "service": {"name": "a", "namespace": "b"}},
            },
        }
    },
    {
        "conversion": {
            "strategy": "Webhook",
            "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "http://u:p@h/x?q=1#f"}},
        }
    },
    {
        "conversion": {
            "strategy": "Webhook",
            "webhook": {
                "conversionReviewVersions": ["v1"],
                "clientConfig": {"service": {"name": "", "namespace": "", "path": "//a/ b", "port": 0}},
            },
        }
    },
)

# Changes of the one version.
VERSIONS: tuple[dict[str, Any], ...] = (
    {"name": "V1"},
    {"storage": False},
    {"schema": None},
    {"schema": {}},
    {"deprecationWarning": "old"},
    {"deprecated": True, "deprecationWarning": ""},
    {"deprecated": True, "deprecationWarning": "a\nb"},
    {"deprecated": True, "deprecationWarning": "a" * 257},
    {"additionalPrinterColumns": [{"name": "", "type": "", "jsonPath": ""}]},
    {"additionalPrinterColumns": [{"name": "a", "type": "text", "format": "x", "jsonPath": "spec.f"}]},
    {"additionalPrinterColumns": [{"name": "a", "type": "string", "jsonPath": ".spec[0"}]},
    {"subresources": {"scale": {}}},
    {"subresources": {"scale": {"specReplicasPath": "spec.a", "statusReplicasPath": ".spec.a"}}},
    {
        "subresources": {
            "scale": {"specReplicasPath": ".spec.a[0]", "statusReplicasPath": ".status.a", "labelSelectorPath": ".x"}
        }
    },
    {"selectableFields": [{"jsonPath": ""}]},
    {"selectableFields": [{"jsonPath": ".spec.f"}, {"jsonPath": ".spec.f"}]},
    {"selectableFields": [{"jsonPath": ".spec.nope"}, {"jsonPath": ".spec"}, {"jsonPath": ".metadata.name"}]},
    {"selectableFields": [{"jsonPath": "spec.f"}, {"jsonPath": ".spec.l[0]"}, {"jsonPath": ".spec.l"}]},
)


def test_the_schema_of_a_field_is_judged_alike(pair: Pair) -> None:
    _same(pair, [(field, _definition(field)) for field in (*FIELDS, *DEFAULTS)])


@pytest.mark.parametrize("status", [False, True])
def test_the_root_of_a_schema_is_judged_alike(pair: Pair, *, status: bool) -> None:
    found = []
    for change in ROOTS:
        crd = _definition(TEXT)
        version = crd["spec"]["versions"][0]
        schema = version["schema"]["openAPIV3Schema"]
        version["schema"]["openAPIV3Schema"] = {
            **schema,
            **change,
            "properties": {**schema["properties"], **change.get("properties", {})},
        }
        if status:
            version["subresources"] = {"status": {}}
        found.append((change, crd))
    _same(pair, found)


def test_two_versions_that_differ_are_judged_alike(pair: Pair) -> None:
    found = []
    for field in FIELDS[::4]:
        crd, other = _definition(field), _definition(TEXT)["spec"]["versions"][0]
        crd["spec"]["versions"].append({**other, "name": "v2", "storage": False})
        found.append((field, crd))
    crd = _definition(TEXT)
    crd["spec"]["versions"] *= 2
    found.append(({"versions": "twice"}, crd))
    _same(pair, found)


def test_the_rest_of_a_definition_is_judged_alike(pair: Pair) -> None:
    found = []
    for change in SPECS:
        crd = _definition(TEXT)
        crd["spec"] |= copy.deepcopy(change)
        found.append((change, crd))
    for change in VERSIONS:
        crd = _definition(TEXT)
        crd["spec"]["versions"][0] |= copy.deepcopy(change)
        found.append((change, crd))
    for generated in ("things.definitions.test", "x-"):
        crd = _definition(TEXT)
        crd["metadata"]["generateName"] = generated
        found.append(({"generateName": generated}, crd))
    _same(pair, found)


def _definition(field: dict[str, Any]) -> dict[str, Any]:
    spec = {"type": "object", "properties": {"f": copy.deepcopy(field), "l": LIST}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.definitions.test"},
        "spec": {
            "group": "definitions.test",
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [version],
        },
    }


def _same(pair: Pair, cases: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    found: list[str] = []
    for change, crd in cases:
        real, ours = (normal(answer) for answer in pair.ask(Ask("POST", PATH, crd)))
        found += [f"{change}: {line}" for line in differences(real, ours) if "only [Description Type" not in line]
    assert not found, "\n".join(found)


def test_a_whole_object_within_a_custom_resource_is_judged_alike(pair: Pair, namespace: str) -> None:
    whole = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    crd = _definition({"type": "array", "items": whole})
    group = f"{namespace}.test"
    crd["metadata"]["name"], crd["spec"]["group"] = f"things.{group}", group
    pair.set_up(Ask("POST", PATH.partition("?")[0], crd))
    path = f"/apis/{group}/v1/namespaces/{namespace}/things"
    pair.await_served(path)
    good = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    found: list[str] = []
    for change in (
        {},
        {"apiVersion": ""},
        {"apiVersion": "a/b/c"},
        {"kind": ""},
        {"kind": "Bad_Kind"},
        {"metadata": {}},
        {"metadata": {"name": "a/b"}},
        {"metadata": {"name": "A b", "labels": {"a b": "c d"}}},
        {"metadata": {"namespace": "Bad_"}},
    ):
        for item in ({**good, **change}, {key: value for key, value in good.items() if key not in change}):
            body = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": {"f": [item]}}
            real, ours = (normal(answer) for answer in pair.ask(Ask("POST", f"{path}?dryRun=All", body)))
            found += [f"{item}: {line}" for line in differences(real, ours)]
    assert not found, "\n".join(found)
