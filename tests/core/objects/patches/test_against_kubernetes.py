"""Random documents and patches, patched by us and by the libraries of Kubernetes (Go): the same comes out, or both refuse."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kilde.core.objects.patches.errors import PatchError
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.patches.merge_patch import merge_patch
from kilde.core.objects.patches.strategic_merge import strategic_merge
from kilde.core.objects.typed.schema import builtin
from real.oracle import compiled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_SOURCE = Path(__file__).with_name("oracle")
_RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Ask = Callable[[dict[str, Any]], Any]
_REFUSED = "refused"


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks Kubernetes."""
    program = compiled(_SOURCE, tmp_path_factory.mktemp("patched"))
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        reader, writer = process.stdout, process.stdin

        def asked(question: dict[str, Any]) -> Any:
            writer.write(json.dumps(question) + "\n")
            writer.flush()
            answer = json.loads(reader.readline())
            return answer["document"] if "error" not in answer else _REFUSED

        yield asked
        writer.close()


def _tried(patch: Callable[[], Any]) -> Any:
    try:
        return patch()
    except PatchError:
        return _REFUSED


_LEAF = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from("ab"))
_VALUE = st.recursive(
    _LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)
_DOCUMENT = st.dictionaries(st.sampled_from("abc"), _VALUE, max_size=3)
_POINTER = st.lists(st.sampled_from(["a", "b", "c", "0", "1", "-", "-1", "7"]), max_size=3).map(
    lambda parts: "".join("/" + part for part in parts)
)
_OPERATION = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]), "path": _POINTER},
    optional={"value": _VALUE, "from": _POINTER},
)


@_RELAXED
@given(document=_DOCUMENT, patch=_DOCUMENT)
def test_merge_patches(ask: Ask, document: Any, patch: Any) -> None:
    assert merge_patch(document, patch) == ask({"type": "merge", "document": document, "patch": patch})


@_RELAXED
@given(document=_DOCUMENT, patch=st.lists(_OPERATION, max_size=3))
def test_json_patches(ask: Ask, document: Any, patch: Any) -> None:
    assert _tried(lambda: json_patch(document, patch)) == ask({"type": "json", "document": document, "patch": patch})


def _named(more: dict[str, st.SearchStrategy[Any]], key: str, names: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({key: names}, optional=more)


_WORD = st.sampled_from("abc")


def _lists(item: st.SearchStrategy[Any], key: str, *, patching: bool) -> st.SearchStrategy[Any]:
    if not patching:
        return st.lists(item, max_size=3, unique_by=lambda each: each[key])
    deletion = st.builds(lambda each: {key: each[key], "$patch": "delete"}, item)
    odd = st.sampled_from(
        [{"$patch": "replace"}, {"$patch": "merge", key: "a"}, {"$patch": "x", key: "a"}, {"image": "x"}]
    )
    return st.lists(st.one_of(item, item, item, deletion, odd), max_size=3, unique_by=lambda each: str(each.get(key)))


def _specs(*, patching: bool) -> st.SearchStrategy[Any]:
    null = st.none() if patching else st.nothing()
    env = _lists(_named({"value": st.one_of(_WORD, null)}, "name", _WORD), "name", patching=patching)
    ports = _lists(
        _named({"name": _WORD, "protocol": _WORD}, "containerPort", st.integers(1, 3)),
        "containerPort",
        patching=patching,
    )
    container = _named({"image": _WORD, "env": env, "ports": ports, "args": st.lists(_WORD, max_size=2)}, "name", _WORD)
    volume = _named({"emptyDir": st.just({}), "configMap": st.fixed_dictionaries({"name": _WORD})}, "name", _WORD)
    fields: dict[str, Any] = {
        "containers": st.one_of(_lists(container, "name", patching=patching), null),
        "volumes": _lists(volume, "name", patching=patching),
        "tolerations": st.lists(st.fixed_dictionaries({"key": _WORD}), max_size=2),
        "nodeSelector": st.one_of(st.dictionaries(_WORD, st.one_of(_WORD, null), max_size=2), null),
        "restartPolicy": _WORD,
    }
    if patching:
        order = st.lists(_WORD, max_size=3, unique=True).map(lambda names: [{"name": name} for name in names])
        fields["$setElementOrder/containers"] = order
        fields["$setElementOrder/volumes"] = order
        fields["$retainKeys"] = st.lists(st.sampled_from(["containers", "volumes", "restartPolicy"]), max_size=3)
    return st.fixed_dictionaries({}, optional=fields)


def _pods(*, patching: bool) -> st.SearchStrategy[Any]:
    words = st.lists(_WORD, max_size=3, unique=True)
    meta: dict[str, Any] = {"finalizers": words, "labels": st.dictionaries(_WORD, _WORD, max_size=2)}
    if patching:
        meta |= {"$deleteFromPrimitiveList/finalizers": words, "$setElementOrder/finalizers": words}
    return st.fixed_dictionaries(
        {"metadata": st.fixed_dictionaries({}, optional=meta), "spec": _specs(patching=patching)}
    )


def _complete_order(document: dict[str, Any], patch: dict[str, Any], name: str) -> None:
    """Makes an order list name every item, as kubectl does; the place of others is an accident of Go's sort."""
    order = patch.get("$setElementOrder/" + name)
    if order is not None:
        items = [*(patch.get(name) or []), *document.get(name, [])]
        named = [
            {"name": item["name"]} if isinstance(item, dict) else item
            for item in items
            if not isinstance(item, dict) or "name" in item
        ]
        order.extend(item for at, item in enumerate(named) if item not in order and item not in named[:at])


@_RELAXED
@given(document=_pods(patching=False), patch=_pods(patching=True))
def test_strategic_merge_patches(ask: Ask, document: Any, patch: Any) -> None:
    node = builtin().node("", "v1", "Pod")
    assert node is not None
    for part, name in (("spec", "containers"), ("spec", "volumes"), ("metadata", "finalizers")):
        _complete_order(document[part], patch[part], name)
    gone, meta = "$deleteFromPrimitiveList/finalizers", patch["metadata"]
    if gone in meta:  # to add and delete the same depends on Go's random order
        meta[gone] = [each for each in meta[gone] if each not in meta.get("finalizers", [])]
    question = {"type": "strategic", "kind": "Pod", "document": document, "patch": patch}
    assert _tried(lambda: strategic_merge(document, patch, node)) == ask(question)
