"""Random stories of applies and updates, told to us and to Kubernetes' own field manager (Go): objects, owners and errors are equal."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.objects.typed.toy import SCHEMA, SPECS, TYPE
from kilde.core.objects.typed.errors import ApplyConflict, TypingError
from kilde.core.objects.typed.managed_fields import apply, update
from kilde.core.objects.typed.node import Node, Scalar
from kilde.core.objects.typed.schema import builtin
from real.oracle import compiled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_SOURCE = Path(__file__).with_name("oracle")
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_REF = "#/components/schemas/"
_KINDS = (
    ("apps", "v1", "Deployment"),
    ("", "v1", "Service"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("", "v1", "ConfigMap"),
)

Teller = Callable[[list[Any]], list[Any]]


def _pointed(schema: Any) -> Any:
    """References as OpenAPI v3 writes them."""
    if isinstance(schema, list):
        return [_pointed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _REF + value if key == "$ref" and isinstance(value, str) else _pointed(value)
        for key, value in schema.items()
    }


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for child in schema.values():
            yield from _names(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from _names(child)


def _closure(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found[each] = builtin().definition(each)
            waiting.extend(_names(found[each]))
    return found


def _required_defaults(definitions: dict[str, Any]) -> dict[str, Any]:
    """Published schemas give required scalars Go's zero as default; the packed ones leave that to typed/schema.py."""
    zeros = {"string": "", "integer": 0, "boolean": False}
    out = json.loads(json.dumps(definitions))
    for schema in out.values():
        for name in schema.get("required", ()):
            field = schema.get("properties", {}).get(name, {})
            if field.get("type") in zeros:
                field.setdefault("default", zeros[field["type"]])
    return out


def _toy_setup() -> dict[str, Any]:
    properties = {
        **SCHEMA["properties"],
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"$ref": _META},
    }
    toy = {**SCHEMA, "properties": properties}
    toy["x-kubernetes-group-version-kind"] = [{"group": "toy.test", "version": "v1", "kind": "Toy"}]
    definitions = {**_closure(_META), "toy": toy}
    return {"definitions": _pointed(definitions), "group": "toy.test", "version": "v1", "kind": "Toy"}


def _builtin_setup(group: str, version: str, kind: str) -> dict[str, Any]:
    name = next(name for found, name in builtin().kinds.items() if tuple(found) == (group, version, kind))
    definitions = _required_defaults(_closure(name))
    return {"definitions": _pointed(definitions), "group": group, "version": version, "kind": kind}


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kubernetes' field manager."""
    return compiled(_SOURCE, tmp_path_factory.mktemp("oracle"))


def _teller(binary: Path, setup: dict[str, Any]) -> Iterator[Teller]:
    with subprocess.Popen([str(binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        reader, writer = process.stdout, process.stdin
        writer.write(json.dumps(setup) + "\n")

        def tell(story: list[Any]) -> list[Any]:
            writer.write(json.dumps(story) + "\n")
            writer.flush()
            answer: list[Any] = json.loads(reader.readline())
            return answer

        yield tell
        writer.close()


@pytest.fixture(scope="session")
def tell_toy(oracle: Path) -> Iterator[Teller]:
    """Tells a story about the toy type to Kubernetes."""
    yield from _teller(oracle, _toy_setup())


@pytest.fixture(scope="session", params=_KINDS, ids=lambda kind: kind[2])
def tell_builtin(oracle: Path, request: pytest.FixtureRequest) -> Iterator[tuple[tuple[str, str, str], Teller]]:
    """Tells a story about a built-in kind to Kubernetes."""
    for teller in _teller(oracle, _builtin_setup(*request.param)):
        yield request.param, teller


def _ours(node: Node, story: list[Any]) -> list[Any]:
    live: Any = None
    answers: list[Any] = []
    for step in story:
        options: dict[str, Any] = {
            "node": node,
            "manager": step["manager"],
            "api_version": step["object"]["apiVersion"],
            "now": "2026-01-01T00:00:00Z",
        }
        try:
            if step["do"] == "apply":
                live = apply(live, step["object"], force=step["force"], **options).object
            else:
                live = update(live, step["object"], **options).object
            answers.append({"object": live})
        except (ApplyConflict, TypingError) as error:
            answers.append({"error": error.what})
    return answers


def _plain(answers: list[Any]) -> list[Any]:
    """Without times (whether there is one counts), order of entries and of lines in messages."""
    out = []
    for answer in answers:
        if "error" in answer:
            # Of several undeclared fields in one map Go names the one its random order meets first.
            out.append(
                sorted(re.sub(r"\.\w+: field not declared", ".?: field not declared", answer["error"]).split("\n"))
            )
            continue
        obj = json.loads(json.dumps(answer["object"]))
        entries = [{**entry, "time": "time" in entry} for entry in obj["metadata"].pop("managedFields", [])]
        out.append([obj, sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))])
    return out


def _steps(documents: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    step = st.fixed_dictionaries(
        {
            "do": st.sampled_from(["apply", "apply", "update"]),
            "manager": st.sampled_from(["a", "b", "kubectl"]),
            "force": st.booleans(),
            "object": documents,
        }
    )
    return st.lists(step, min_size=1, max_size=5)


_TOYS = st.builds(
    lambda spec, more: {
        "apiVersion": "toy.test/v1",
        "kind": "Toy",
        "metadata": {"name": "t", "uid": "u", **more},
        "spec": spec,
    },
    SPECS,
    st.fixed_dictionaries(
        {},
        optional={
            "labels": st.dictionaries(st.sampled_from("ab"), st.sampled_from("ab"), max_size=2),
            "finalizers": st.lists(st.sampled_from(["x/a", "x/b"]), unique=True),
        },
    ),
)
_RELAXED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@_RELAXED
@given(story=_steps(_TOYS))
def test_a_story_of_a_custom_resource_ends_as_in_kubernetes(tell_toy: Teller, story: list[Any]) -> None:
    assert _plain(_ours(TYPE, story)) == _plain(tell_toy(story))


_ODD = st.one_of(
    st.none(),
    st.just({}),
    st.just([]),
    st.just("x"),
    st.just(7),
    st.just([None]),
    st.just(["a", "a"]),
    st.just({"a": None}),
    st.just([{"name": "a"}, {"name": "a", "value": "b"}]),
    st.just([{"name": "a", "value": None}]),
    st.just([{"port": 1}]),
    st.just([{"value": "x"}]),
)
_WILD = st.builds(
    lambda toy, field, odd: {**toy, "spec": {**toy["spec"], field: odd}},
    _TOYS,
    st.sampled_from(sorted(SCHEMA["properties"]["spec"]["properties"])),
    _ODD,
)


@_RELAXED
@given(story=_steps(st.one_of(_TOYS, _WILD)))
def test_a_story_with_odd_values_ends_as_in_kubernetes(tell_toy: Teller, story: list[Any]) -> None:
    theirs = tell_toy(story)
    # An update that does not fit its type is refused by validation, before or after; the two go on from different objects.
    end = next((at for at, each in enumerate(theirs) if "failed to convert" in each.get("error", "")), len(story))
    assert _plain(_ours(TYPE, story[:end])) == _plain(theirs[:end])


def _values(node: Node, depth: int) -> st.SearchStrategy[Any]:
    """Values that fit a node, shallow and few, so that stories meet."""
    if node.map is not None and node.scalar is None:
        if node.map.fields and node.map.others is None:
            fields = node.map.fields
            names = sorted(fields)[:6]
            picked = st.lists(st.sampled_from(names), max_size=3 if depth else 0, unique=True)
            return picked.flatmap(
                lambda keys: st.fixed_dictionaries({key: _values(fields[key], depth - 1) for key in keys})
            )
        others = _values(node.map.others, depth - 1) if node.map.others and depth else st.just("x")
        return st.dictionaries(st.sampled_from("ab"), others, max_size=2)
    if node.list is not None and node.scalar is None:
        keys = node.list.keys
        items = _values(node.list.items, depth - 1)
        if keys:
            named = st.fixed_dictionaries({key: _values(node.list.items.child(key) or node, 0) for key in keys})
            items = st.builds(lambda name, item: {**item, **name}, named, items)
        return st.lists(
            items,
            max_size=2 if depth else 0,
            unique_by=lambda item: json.dumps(item if not keys else [item.get(k) for k in keys]),
        )
    if node.scalar is Scalar.NUMERIC:
        return st.integers(0, 2)
    return st.booleans() if node.scalar is Scalar.BOOLEAN else st.sampled_from(["x", "y"])


@_RELAXED
@given(data=st.data())
def test_a_story_of_a_built_in_kind_ends_as_in_kubernetes(
    tell_builtin: tuple[tuple[str, str, str], Teller], data: st.DataObject
) -> None:
    (group, version, kind), tell = tell_builtin
    node = builtin().node(group, version, kind)
    assert node is not None
    # The first manager keeps its label: an untracked object starts from Go's empty struct, which the oracle does not know.
    identity = {
        "apiVersion": f"{group}/{version}" if group else version,
        "kind": kind,
        "metadata": {"name": "t", "uid": "u", "labels": {"kept": "x"}},
    }
    body = _values(node, 7).map(lambda fields: {**{k: v for k, v in fields.items() if k != "metadata"}, **identity})
    first = {"do": "apply", "manager": "first", "force": False, "object": identity}
    story = [first, *data.draw(_steps(body))]
    assert _plain(_ours(node, story)) == _plain(tell(story))
