"""Custom resources: which definitions are accepted, and what becomes of objects."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.kubeapi.resources import custom
from kilde.kubeapi.resources.custom.formats import FORMATS
from kilde.kubeapi.resources.custom.patterns import _translated, matches
from kilde.kubeapi.resources.custom.values import check

WHOLE = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
NOW = "2026-01-01T00:00:00Z"
AT = "spec.validation.openAPIV3Schema"


def crd(schema: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema or {"type": "object"}},
    }
    whole = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [version],
        **spec,
    }
    found = custom.with_defaults({"metadata": {"name": "widgets.example.com"}, "spec": whole})
    return {**found, "status": custom.initial_status(found)}


def of_spec(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}


def judged(definition: dict[str, Any]) -> list[str]:
    return sorted(str(cause) for cause in custom.check_definition(definition))


def test_a_plain_definition_is_accepted_with_its_names_filled_in() -> None:
    found = crd()
    assert custom.check_definition(found) == []
    assert found["spec"]["names"] == {
        "plural": "widgets",
        "kind": "Widget",
        "singular": "widget",
        "listKind": "WidgetList",
    }
    assert found["spec"]["conversion"] == {"strategy": "None"}
    assert found["status"] == {
        "conditions": None,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": ["v1"],
    }


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ({"type": "array"}, "items: Required value: must be specified"),
        (
            {"type": "object", "additionalProperties": False, "properties": {"b": {"type": "string"}}},
            "additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        ({"type": "string", "pattern": "("}, None),
        ({"type": "string", "pattern": "(?=x)"}, None),
        (
            {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
            "x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true",
        ),
        ({"type": "integer", "default": "x"}, None),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "default": {"b": 1}},
            'default: Invalid value: {"b":1}: must not have unknown fields',
        ),
        (
            {**WHOLE, "properties": {"metadata": {"type": "object", "default": {"name": "%"}}}},
            'properties[metadata].default: Invalid value: {"name":"%"}: must result in valid metadata: metadata.name: Invalid value:'
            " \"%\": may not contain '%'",
        ),
        (
            {**WHOLE, "default": {"apiVersion": "v1", "kind": "X", "metadata": {"name": 1}}},
            'default.metadata: Invalid value: {"name":1}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type'
            " string",
        ),
        ({"type": "string", "anyOf": [{"type": "string"}]}, "anyOf[0].type: Forbidden: must be empty to be structural"),
        (
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"},
            "x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        ({"type": "string", "$ref": "#/x"}, "$ref: Forbidden: $ref is not supported"),
        (
            {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
            "uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
    ],
)
def test_a_schema_that_is_not_structural_is_refused(field: dict[str, Any], wrong: str | None) -> None:
    causes = judged(crd(of_spec({"a": field})))
    at = f"{AT}.properties[spec].properties[a]"
    if wrong is None:
        assert len(causes) == 1
        assert causes[0].startswith(at)
    else:
        assert causes == [f"{at}.{wrong}"]


def test_schemas_nested_without_end_are_refused() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(200):
        schema = {"type": "object", "properties": {"a": schema}}
    assert any("levels deep" in text for text in judged(crd(schema)))


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"scope": "Cluster"}, 'spec.scope: Invalid value: "Cluster": field is immutable'),
        (
            {"group": "other.com"},
            'metadata.name: Invalid value: "widgets.example.com": must be spec.names.plural+"."+spec.group',
        ),
    ],
)
def test_an_established_definition_keeps_its_identity(change: dict[str, Any], wrong: str) -> None:
    old = crd()
    old["status"] = custom.named_status(old, [], NOW)
    new = {**copy.deepcopy(old), "spec": {**old["spec"], **change}}
    assert wrong in [str(cause) for cause in custom.check_definition_update(new, old)]


def test_a_version_in_which_objects_lie_may_not_vanish() -> None:
    old = crd()
    old["status"]["storedVersions"] = ["v0", "v1"]
    assert [cause.field for cause in custom.check_definition_update(copy.deepcopy(old), old)] == [
        "status.storedVersions[0]"
    ]


def test_a_new_storage_version_joins_those_that_are_stored() -> None:
    found = crd()
    assert custom.with_stored_version({"storedVersions": ["v0"]}, found) == {"storedVersions": ["v0", "v1"]}


def test_free_names_are_accepted_and_the_definition_is_established() -> None:
    status = custom.named_status(crd(), [], NOW)
    assert status["acceptedNames"] == {
        "plural": "widgets",
        "kind": "Widget",
        "singular": "widget",
        "listKind": "WidgetList",
    }
    assert [(one["type"], one["status"], one["reason"]) for one in status["conditions"]] == [
        ("NamesAccepted", "True", "NoConflicts"),
        ("Established", "True", "InitialNamesAccepted"),
    ]
    assert custom.is_served({"status": status})


def test_a_kind_that_is_taken_is_not_accepted() -> None:
    first = crd()
    first["status"] = custom.named_status(first, [], NOW)
    second = crd(names={"plural": "gizmos", "kind": "Widget"})
    second["metadata"]["name"] = "gizmos.example.com"
    status = custom.named_status(second, [first], NOW)
    assert status["acceptedNames"] == {"plural": "gizmos", "kind": ""}
    assert [(one["type"], one["status"], one["reason"], one["message"]) for one in status["conditions"]][1:] == [
        ("Established", "False", "NotAccepted", "not all names are accepted")
    ]
    assert not custom.is_served({"status": status})


def test_looking_again_changes_nothing() -> None:
    found = crd()
    found["status"] = custom.named_status(found, [], NOW)
    assert custom.named_status(found, [], "2027-01-01T00:00:00Z") == found["status"]


def test_a_definition_says_its_resources_and_sub_resources() -> None:
    found = crd()
    found["spec"]["names"] |= {"shortNames": ["wd"], "categories": ["all"]}
    found["spec"]["versions"][0]["subresources"] = {
        "status": {},
        "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
    }
    definition = custom.Definition.of(found)
    (resource,) = definition.resources
    assert (resource.plural, resource.singular, resource.short_names, resource.categories) == (
        "widgets",
        "widget",
        ("wd",),
        ("all",),
    )
    assert [sub.name for sub in resource.sub_resources] == ["status", "scale"]
    assert definition.version("v1") is not None
    assert definition.version("v2") is None


def test_a_deprecated_version_names_the_one_to_use() -> None:
    found = crd()
    old = {**copy.deepcopy(found["spec"]["versions"][0]), "name": "v1beta1", "storage": False, "deprecated": True}
    found["spec"]["versions"].append(old)
    version = custom.Definition.of(found).version("v1beta1")
    assert version is not None
    assert version.deprecation == "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"


SHAPE = of_spec(
    {
        "a": {"type": "string", "default": "x"},
        "n": {"type": "string", "nullable": True, "default": "y"},
        "l": {"type": "array", "items": {"type": "object", "properties": {"d": {"type": "integer", "default": 1}}}},
        "free": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"k": {"type": "object"}},
        },
        "e": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {"type": "object"}}},
        "m": {"type": "object", "additionalProperties": {"type": "object", "properties": {"z": {"type": "string"}}}},
    }
)


def test_what_the_schema_does_not_know_is_pruned() -> None:
    obj = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "bogus": 1, "labels": {"any": "thing"}},
        "spec": {
            "bogus": 1,
            "l": [{"d": 1}, {"e": 2}],
            "free": {"x": {"y": 1}, "k": {"pruned": 1}},
            "e": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "what": 1}, "other": 1},
            "m": {"one": {"z": "1", "y": "2"}},
        },
        "other": {},
    }
    kept, unknown = custom.pruned(obj, SHAPE)
    assert unknown == [
        "metadata.bogus",
        "spec.bogus",
        "spec.l[1].e",
        "spec.free.k.pruned",
        "spec.e.metadata.what",
        "spec.e.other",
        "spec.m.one.y",
        "other",
    ]
    assert kept == {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "labels": {"any": "thing"}},
        "spec": {
            "l": [{"d": 1}, {}],
            "free": {"x": {"y": 1}, "k": {}},
            "e": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}},
            "m": {"one": {"z": "1"}},
        },
    }


@pytest.mark.parametrize(
    ("spec", "filled"),
    [
        ({}, {"a": "x", "n": "y"}),
        ({"a": None, "n": None}, {"n": None, "a": "x"}),
        ({"l": [{}, {"d": 2}]}, {"l": [{"d": 1}, {"d": 2}], "a": "x", "n": "y"}),
        ({"m": {"k": None}}, {"m": {}, "a": "x", "n": "y"}),
    ],
)
def test_defaults_fill_what_is_missing_or_may_not_be_null(spec: dict[str, Any], filled: dict[str, Any]) -> None:
    assert custom.defaulted({"spec": spec}, SHAPE) == {"spec": filled}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x"]),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(st.sampled_from("anldefkmz"), child, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_shaping_twice_is_shaping_once(spec: Any) -> None:
    once = custom.defaulted(custom.pruned({"spec": spec}, SHAPE)[0], SHAPE)
    again, unknown = custom.pruned(custom.defaulted(once, SHAPE), SHAPE)
    assert (again, unknown) == (once, [])


@pytest.mark.parametrize(
    ("schema", "value", "wrong"),
    [
        ({"type": "integer"}, 1.0, []),
        (
            {"type": "integer"},
            1.5,
            [
                'x: Invalid value: "number": x in body must be of type integer: "number"',
                '<nil>: Invalid value: "": Checked value must be of type integer (default format) in x',
            ],
        ),
        (
            {"x-kubernetes-list-type": "set", "items": {"type": "string"}},
            ["a", "a", "a"],
            ['x[1]: Duplicate value: "a"'],
        ),
        ({"type": "integer"}, True, ['x: Invalid value: "boolean": x in body must be of type integer: "boolean"']),
        ({"type": "string"}, None, ['x: Invalid value: "null": x in body must be of type string: "null"']),
        ({"type": "string", "nullable": True}, None, []),
        (
            {"type": "string", "nullable": True},
            1,
            ['x: Invalid value: "integer": x in body must be of type string: "integer"'],
        ),
        (
            {"x-kubernetes-int-or-string": True},
            False,
            ['x: Invalid value: "boolean": x in body must be of type integer,string: "boolean"'],
        ),
        ({"type": "string", "enum": ["a", "b"]}, "c", ['x: Unsupported value: "c": supported values: "a", "b"']),
        ({"type": "string", "maxLength": 2}, "æøå", ["x: Too long: may not be more than 2 bytes"]),
        ({"type": "string", "maxLength": 3}, "æøå", []),
        ({"type": "string", "minLength": 1}, "", ['x: Invalid value: "": x in body should be at least 1 chars long']),
        ({"type": "string", "pattern": "^a+$"}, "b", ["x: Invalid value: \"b\": x in body should match '^a+$'"]),
        ({"type": "string", "pattern": "^a+$"}, "a\n", ["x: Invalid value: \"a\\n\": x in body should match '^a+$'"]),
        (
            {"type": "string", "format": "hostname"},
            "a.b",
            ['x: Invalid value: "a.b": x in body must be of type hostname: "a.b"'],
        ),
        (
            {"type": "integer", "maximum": 5, "exclusiveMaximum": True},
            5,
            ["x: Invalid value: 5: x in body should be less than 5"],
        ),
        ({"type": "integer", "minimum": 1}, 0, ["x: Invalid value: 0: x in body should be greater than or equal to 1"]),
        ({"type": "integer", "multipleOf": 3}, 4, ["x: Invalid value: 4: x in body should be a multiple of 3"]),
        (
            {"type": "array", "items": {"type": "string"}},
            ["a", None],
            ['x[1]: Invalid value: "null": x[1] in body must be of type string: "null"'],
        ),
        (
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            ["a", "b", "a"],
            ['x[2]: Duplicate value: "a"'],
        ),
        (
            {
                "type": "array",
                "items": {"type": "object"},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
            [{"name": "p", "v": 1}, {"name": "p"}],
            ['x[1]: Duplicate value: {"name":"p"}'],
        ),
        ({"type": "object", "required": ["a"]}, {}, ["x.a: Required value"]),
        (
            {"type": "object", "minProperties": 1},
            {},
            ["x: Invalid value: 0: x in body should have at least 1 properties"],
        ),
    ],
)
def test_a_value_is_judged_in_the_words_of_a_real_server(schema: dict[str, Any], value: Any, wrong: list[str]) -> None:
    assert [str(cause) for cause in check(value, schema, "x")] == wrong


def test_what_has_not_changed_is_not_judged_again() -> None:
    schema = of_spec({"a": {"type": "string", "pattern": "^[a-z]+$"}, "b": {"type": "string"}})
    old = {"spec": {"a": "UPPER", "b": "1"}}
    assert check({"spec": {"a": "UPPER", "b": "2"}}, schema, "", old) == []
    assert len(check({"spec": {"a": "STILL", "b": "1"}}, schema, "", old)) == 1


def test_items_of_an_associative_list_are_told_apart_by_their_keys() -> None:
    items = {"type": "object", "properties": {"name": {"type": "string"}, "v": {"type": "string", "maxLength": 1}}}
    schema = {"type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    old = [{"name": "a", "v": "long"}, {"name": "b", "v": "x"}]
    assert check([{"name": "b", "v": "y"}, {"name": "a", "v": "long"}], schema, "x", old) == []


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("byte", "YQ==", "a!"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("date", "2026-01-31", "2026-02-31"),
        ("date-time", "2026-01-31T12:00:00.5Z", "2026-01-31"),
        ("duration", "1h30m", "soon"),
        ("email", "a@example.com", "a"),
        ("hexcolor", "#aabbcc", "#aabb"),
        ("hostname", "a-b", "a_b"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "2001:db8::1", "10.0.0.1"),
        ("isbn10", "0306406152", "0306406153"),
        ("isbn13", "9780306406157", "9780306406158"),
        ("k8s-long-name", "a.b", "A"),
        ("k8s-short-name", "a-b", "a.b"),
        ("mac", "00:11:22:33:44:55", "00:11"),
        ("uri", "https://example.com/x", "x"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
    ],
)
def test_a_format_takes_the_good_and_refuses_the_bad(form: str, good: str, bad: str) -> None:
    assert FORMATS[form](good)
    assert not FORMATS[form](bad)


@given(st.sampled_from(sorted(FORMATS)), st.text(max_size=30))
def test_a_format_judges_any_text(form: str, text: str) -> None:
    assert FORMATS[form](text) in (True, False)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^[[:alpha:]]+$", "abc", True),
        (r"^[[:alpha:]]+$", "ab1", False),
        (r"^a\z", "a", True),
        (r"\$", "a$b", True),
        ("^(a|b$)", "b", True),
    ],
)
def test_patterns_mean_what_they_mean_in_go(pattern: str, text: str, *, found: bool) -> None:
    assert matches(pattern, text) is found
    assert bool(_translated(pattern).search(text)) is found


def test_a_hostile_pattern_does_not_hold_up_the_server() -> None:
    pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")
    assert not matches("^(a+)+$", "a" * 5000 + "b")


def test_an_update_that_changes_only_a_type_is_judged() -> None:
    schema = {"type": "object", "properties": {"w": {"type": "boolean"}, "n": {"type": "integer"}}}
    assert check({"w": True, "n": 1}, schema, "x", {"w": True, "n": 1}) == []
    (cause,) = check({"w": 1, "n": 1}, schema, "x", {"w": True, "n": 1})
    assert str(cause) == 'x.w: Invalid value: "integer": x.w in body must be of type boolean: "integer"'


def test_what_a_list_without_a_schema_of_its_items_holds_is_pruned() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "free": {"type": "array", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    kept, unknown = custom.pruned({"a": [{"b": 1}, 2], "free": [{"c": 1}]}, schema)
    assert kept == {"a": [{}, 2], "free": [{"c": 1}]}
    assert unknown == ["a[0].b"]
