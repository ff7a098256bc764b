"""Strategic merge as kustomize does it: maps merge, null removes, lists merge by the keys that the type states.

The rules are those of kustomize's own merge, not of the API server's: what a patch adds to a list comes first, and of
the directives only `$patch` is known.
"""

from typing import Any

from kilde.core.basics.errors import LimitExceeded, RenderFailed
from kilde.core.objects.yaml_scalars import is_null, text_of
from kilde.core.render.kustomize import links
from kilde.core.render.kustomize.comments import CommentedNode, Comments
from kilde.core.render.kustomize.fields import fresh, restyled
from kilde.core.render.kustomize.openapi import Schema, TypeNode

_DIRECTIVE = "$patch"
_MOST_ODD = 1_000  # elements of a list that is merged by comparing each with each
_STRATEGIES = ("delete", "replace", "merge")


class _Absent:
    """No value at all, which is not null."""

    def __bool__(self) -> bool:
        return False


ABSENT: Any = _Absent()
Values = list[list[str]]


def merge(
    target: dict[str, Any], patch: dict[str, Any], schema: Schema, comments: Comments | None = None
) -> dict[str, Any]:
    """The target with the patch merged in; empty if the patch deletes it. Both are used up. `comments` of both say more of types.

    A patch that replaces the whole object is lost on the way: kustomize goes on with the object as it was.

    Raises RenderFailed where a map meets a scalar or a list.
    """
    if "$patch" in patch and _written(patch["$patch"]) == "replace":
        return target
    merging = _Merge(schema)
    node: TypeNode | None = None
    if comments is not None:
        node = CommentedNode(merging.type_of(target) or merging.type_of(patch), comments, schema)
    merged = merging.walk(target, patch, node)
    links.spread(merged, merging.changed)
    return merged if isinstance(merged, dict) else {}


def _nothing(value: Any) -> bool:
    return value is ABSENT or is_null(value)


def _kind(value: Any) -> str:
    return "map" if isinstance(value, dict) else "list" if isinstance(value, list) else "scalar"


class _Merge:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.changed: links.Changed = {}

    def walk(self, target: Any, patch: Any, node: TypeNode | None) -> Any:
        if node is None:
            node = self.type_of(target) or self.type_of(patch)
        kinds = {_kind(value) for value in (target, patch) if not _nothing(value)}
        if len(kinds) > 1:
            raise RenderFailed(f"cannot merge a {_kind(patch)} into a {_kind(target)}")
        kind = kinds.pop() if kinds else "map"
        if kind == "map":
            return self.walk_map(target, patch, node)
        if kind == "list" and node is not None and node.merge_keys is not None:
            return self.walk_list(target, patch, node)
        return target if patch is ABSENT else patch

    def type_of(self, value: Any) -> TypeNode | None:
        if not isinstance(value, dict):
            return None
        version, kind = value.get("apiVersion"), value.get("kind")
        return self.schema.of_kind(version, kind) if isinstance(version, str) and isinstance(kind, str) else None

    def walk_map(self, target: Any, patch: Any, node: TypeNode | None) -> Any:
        into = self.destination(target, patch, strict=True)
        if into is ABSENT or not isinstance(into, dict):
            return into
        for key in sorted({*into, *(patch if isinstance(patch, dict) else ())}):
            merged = self.walk(
                into.get(key, ABSENT),
                patch.get(key, ABSENT) if isinstance(patch, dict) else ABSENT,
                node.field(key) if node else None,
            )
            _set(into, key, merged, self.changed)
        return into

    def destination(self, target: Any, patch: Any, *, strict: bool) -> Any:
        """What is merged into: the target, the patch where it is new or replaces, or nothing where it deletes."""
        if _nothing(target):
            if directive(patch) == "delete":
                return ABSENT
            if patch is ABSENT and strict and target is not ABSENT and text_of(target):
                return _KEPT_NULL
            return patch
        if patch is not ABSENT and is_null(patch):
            return ABSENT
        found = directive(patch)
        return ABSENT if found == "delete" else patch if found == "replace" else target

    def walk_list(self, target: Any, patch: Any, node: TypeNode) -> Any:
        into = self.destination(target, patch, strict=False) if not _nothing(target) else patch
        if into is ABSENT or is_null(into):
            return into
        keys = list(node.merge_keys or ())
        sources = [into, [] if _nothing(patch) else patch]
        if keys:
            values = _element_values(sources, keys)
            return self.merge_elements(into, sources, values, keys, node.element())
        return self.merge_elements(into, sources, _scalar_values(sources), [""], node.element())

    def merge_elements(
        self, into: list[Any], sources: list[list[Any]], values: Values, keys: list[str], element: TypeNode | None
    ) -> Any:
        if len(keys) == 1 and all(_is_plain(source, keys[0]) for source in sources):
            return self.merge_plain(sources, values, keys[0], element)
        if len(values) > _MOST_ODD:
            raise LimitExceeded(f"lists of more than {_MOST_ODD} elements merge only by one key that each of them has")
        if len(keys) > 1:
            _complete(values)
        added: list[Any] = []
        valid_keys, used = keys, keys
        for wanted in values:
            valid_keys, valid = _valid(values, wanted, keys)
            used = valid_keys
            search_keys, search = _valid([valid], valid, valid_keys)
            found = [_find_element(source, search_keys, search) for source in sources]
            merged = self.walk(found[0], found[1], element)
            if _nothing(merged) or merged == {}:
                _put_element(into, ABSENT, valid_keys, valid)
                continue
            if isinstance(merged, dict):
                for key, value in zip(valid_keys, valid, strict=False):
                    if key not in merged and value:
                        merged[key] = value
            _put_element(added, merged, valid_keys, valid)
        return _append(added, into, used) if values else into

    def merge_plain(self, sources: list[list[Any]], values: Values, key: str, element: TypeNode | None) -> list[Any]:
        """The same, in linear time, for lists as they mostly are: no two elements have the same key, and none has none."""
        target, patch = ({_key_of(item, key): item for item in source} for source in sources)
        merged: dict[str, Any] = {}
        for (value,) in values:
            found = self.walk(target.get(value, ABSENT), patch.get(value, ABSENT), element)
            if _nothing(found) or found == {}:
                target.pop(value, None)
                continue
            if isinstance(found, dict) and key not in found:
                found[key] = value
            merged[value] = found
        return list((merged | target).values())


def _key_of(element: Any, key: str) -> str:
    return _key_text(element, key) if key else _scalar_text(element)


def _is_plain(source: list[Any], key: str) -> bool:
    """Whether each element has a key of its own, or is a scalar of its own where there is no key."""
    if not all((isinstance(item, dict) if key else not isinstance(item, (dict, list))) for item in source):
        return False
    texts = [_key_of(item, key) for item in source]
    return "" not in texts and len(set(texts)) == len(texts)


class _KeptNull:
    """A null that somebody wrote and no patch touched."""


_KEPT_NULL: Any = _KeptNull()


def _set(into: dict[str, Any], key: str, value: Any, changed: links.Changed) -> None:
    if value is _KEPT_NULL:
        return
    if _nothing(value):
        into.pop(key, None)
    elif key in into:
        old = into[key]
        if old is not value:
            into[key] = links.put(old, restyled(old, value), changed) if not isinstance(old, (dict, list)) else value
        elif type(old) is str:
            into[key] = fresh(old)  # what the merge walks over is written anew, too
    else:
        into[key] = fresh(value)


def directive(patch: Any) -> str:
    """The `$patch` strategy of a map or a list, taken out of it; "merge" where it has none."""
    if isinstance(patch, dict) and _DIRECTIVE in patch:
        found = patch[_DIRECTIVE]
        _check(_written(found))
        del patch[_DIRECTIVE]
        return _written(found)
    if isinstance(patch, list):
        for element in patch:
            if isinstance(element, dict) and _DIRECTIVE in element:
                if len(element) > 1:
                    return "merge"
                found = _written(element[_DIRECTIVE])
                _check(found)
                _put_element(patch, ABSENT, [_DIRECTIVE], [found])
                return found
    return "merge"


def _check(strategy: str) -> None:
    if strategy not in _STRATEGIES:
        raise RenderFailed(
            f"unknown patch strategy '{strategy}'", about=_DIRECTIVE, hint="use delete, replace or merge"
        )


def _key_text(element: Any, key: str) -> str:
    value = element.get(key, ABSENT) if isinstance(element, dict) else ABSENT
    return "" if _nothing(value) or isinstance(value, (dict, list)) else text_of(value)


def _element_values(sources: list[list[Any]], keys: list[str]) -> Values:
    """The key values of every element, the patch's first."""
    rows = (tuple(_key_text(element, key) for key in keys) for source in (sources[1], sources[0]) for element in source)
    return [list(row) for row in dict.fromkeys(rows)]


def _scalar_values(sources: list[list[Any]]) -> Values:
    texts = dict.fromkeys(_scalar_text(element) for source in (sources[1], sources[0]) for element in source)
    return [[text] for text in texts]


def _scalar_text(value: Any) -> str:
    return "" if isinstance(value, (dict, list)) or is_null(value) else text_of(value)


def _complete(values: Values) -> None:
    """Elements that agree in the keys both have are one: the missing keys are filled in."""
    for i, first in enumerate(values):
        for j, second in enumerate(values):
            both = _agree(values[i] if i != j else first, second)
            if both is not None:
                values[i] = values[j] = both


def _agree(first: list[str], second: list[str]) -> list[str] | None:
    common = False
    merged = []
    for left, right in zip(first, second, strict=True):
        if left == right:
            common = True
        elif left and right:
            return None
        merged.append(left or right)
    return merged if common else None


def _valid(values: Values, wanted: list[str], keys: list[str]) -> tuple[list[str], list[str]]:
    """Keys that no element has are left out; all of them if none has any."""
    present = {keys[i] for row in values for i, value in enumerate(row) if value}
    if not present:
        return keys, wanted
    return (
        [key for key in keys if key in present],
        [value for i, value in enumerate(wanted) if value or keys[i] in present],
    )


def _written(value: Any) -> str:
    """The text of a value as it stands in the file; nothing for a map or a list."""
    return "" if isinstance(value, (dict, list)) else text_of(value)


def _has(element: Any, key: str, value: str) -> bool:
    """Whether an element has this value under the key; any value where none is asked for."""
    if not key:
        return not isinstance(element, (dict, list)) and _scalar_text(element) == value
    return isinstance(element, dict) and key in element and (not value or _written(element[key]) == value)


def _find_element(source: list[Any], keys: list[str], values: list[str]) -> Any:
    """The first element with exactly these values: one that lacks a key is never found, only put away by `_put_element`."""
    for element in source:
        if not keys[0]:
            if _scalar_text(element) == values[0]:
                return element
        elif isinstance(element, dict) and all(
            k in element and _written(element[k]) == v for k, v in zip(keys, values, strict=True)
        ):
            return element
    return ABSENT


def _put_element(into: list[Any], element: Any, keys: list[str], values: list[str]) -> None:
    """Replaces the elements with these key values, or appends; ABSENT removes them. Empty elements vanish on the way."""
    kept, found_one = [], False
    by_key = bool(keys[0])
    for item in into:
        if is_null(item) or item == {}:
            continue
        if not by_key and isinstance(item, (dict, list)):
            raise RenderFailed("an element of a list that merges as a set must be a scalar")
        if by_key and not isinstance(item, dict):
            kept.append(item)
            continue
        if not values or not all(_has(item, k, v) for k, v in zip(keys, values, strict=False)):
            if values:
                kept.append(item)
            continue
        found_one = True
        if element is not ABSENT:
            kept.append(element)
    into[:] = kept
    if element is not ABSENT and not found_one:
        into.append(element)


def _append(into: list[Any], elements: list[Any], keys: list[str]) -> list[Any]:
    """The patch's elements first, then what the target had besides."""
    for element in list(elements):
        if not keys[0]:
            _put_element(into, element, [""], [_scalar_text(element)])
            continue
        if not isinstance(element, dict) and not is_null(element):
            raise RenderFailed("an element of a list that merges by key must be a map")
        values = []
        for key in keys:
            value = element.get(key, ABSENT) if isinstance(element, dict) else ABSENT
            if value is ABSENT:
                into.append(element)
            else:
                values.append(_written(value))
        if len(keys) > 1:
            _put_element(into, ABSENT, keys, values)
        _put_element(into, element, keys, values)
    return into
