"""A small custom type that has every kind of node, and values of it for property tests."""

from typing import Any

from hypothesis import strategies as st

from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.schema import from_openapi

_STRING: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "integer"}
_ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": _STRING,
        "value": _STRING,
        "ports": {"$ref": "-"},
        "inner": {"type": "object", "properties": {"a": _STRING, "b": _NUMBER}},
    },
}
_ITEM["properties"].pop("ports")

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "text": _STRING,
                "count": _NUMBER,
                "on": {"type": "boolean"},
                "either": {"x-kubernetes-int-or-string": True},
                "labels": {"type": "object", "additionalProperties": _STRING},
                "whole": {"type": "object", "additionalProperties": _STRING, "x-kubernetes-map-type": "atomic"},
                "args": {"type": "array", "items": _STRING},
                "tags": {"type": "array", "items": _STRING, "x-kubernetes-list-type": "set"},
                "items": {
                    "type": "array",
                    "items": _ITEM,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                },
                "ports": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "port": _NUMBER,
                            "protocol": {"type": "string", "default": "TCP"},
                            "note": _STRING,
                        },
                    },
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port", "protocol"],
                },
                "deep": {
                    "type": "object",
                    "properties": {"er": {"type": "object", "properties": {"x": _STRING, "y": _STRING}}},
                },
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            },
        },
        "status": {"type": "object", "properties": {"phase": _STRING}},
    },
}

TYPE: Node = from_openapi(SCHEMA)

_WORD = st.sampled_from(["a", "b", "c"])
_INT = st.integers(0, 2)


def _struct(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def _keyed(items: st.SearchStrategy[dict[str, Any]], *keys: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(items, max_size=3, unique_by=lambda item: tuple(str(item.get(key, "TCP")) for key in keys))


_ITEMS = _keyed(
    st.builds(lambda name, rest: {"name": name, **rest}, _WORD, _struct(value=_WORD, inner=_struct(a=_WORD, b=_INT))),
    "name",
)
_PORTS = _keyed(
    st.builds(
        lambda port, rest: {"port": port, **rest}, _INT, _struct(protocol=st.sampled_from(["TCP", "UDP"]), note=_WORD)
    ),
    "port",
    "protocol",
)
_FREE = st.dictionaries(
    _WORD,
    st.one_of(_WORD, _INT, st.booleans(), st.lists(_INT, max_size=2), st.dictionaries(_WORD, _INT, max_size=2)),
    max_size=2,
)

SPECS = _struct(
    text=_WORD,
    count=_INT,
    on=st.booleans(),
    either=st.one_of(_INT, _WORD),
    labels=st.dictionaries(_WORD, _WORD, max_size=2),
    whole=st.dictionaries(_WORD, _WORD, max_size=2),
    args=st.lists(_WORD, max_size=2),
    tags=st.lists(_WORD, max_size=3, unique=True),
    items=_ITEMS,
    ports=_PORTS,
    deep=_struct(er=_struct(x=_WORD, y=_WORD)),
    free=_FREE,
)


def toy(spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An object of the toy type."""
    return {"apiVersion": "toy.test/v1", "kind": "Toy", "metadata": {"name": "t"}, "spec": spec, **more}
