"""Strategic merge patch: a merge patch that knows which lists merge, and by which key.

Directives: `$patch` (replace, delete, merge), `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`,
`$retainKeys`. Which fields merge is in the type (`patch_strategy`, `patch_key` of its node). The errors are worded as
the server words them.
"""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.objects.patches.element_order import by_key, ordered, partition
from kilde.core.objects.patches.errors import BadPatch, PatchFailed
from kilde.core.objects.typed.node import DEDUCED, Node
from kilde.core.objects.typed.validation import printed

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
ORDER = "$setElementOrder/"
DELETE_FROM = "$deleteFromPrimitiveList/"

_DEPTH = 150


def strategic_merge(document: Object, patch: Json, node: Node) -> Object:
    """The document with the patch merged in, as an object of this type. The given ones are not changed.

    BadPatch (400) if it is no patch, PatchFailed (500) if directives contradict the type or each other.
    """
    return merged_with_rest(document, patch, node)[0]


def merged_with_rest(document: Object, patch: Json, node: Node) -> tuple[Object, Object]:
    """The same, and what is left of the patch: a server takes out of it the directives that it has done, and quotes the rest.

    The two share what they have in common.
    """
    if not isinstance(patch, dict):
        raise BadPatch("json: cannot unmarshal the patch into Go value of type map[string]interface {}")
    try:
        rest = _copy(patch)
        return _map(document, rest, node, 0), rest
    except RecursionError as error:
        raise BadPatch("the patch is nested too deeply") from error


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(child) for key, child in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _map(original: Object, patch: Object, node: Node, depth: int) -> Object:
    """The original with a patch merged in; directives that are done are taken out of the patch."""
    if depth > _DEPTH:
        raise BadPatch("the patch is nested too deeply")
    if PATCH in patch:
        return _directed(patch)
    out = _retained(original, patch)
    for directive in [key for key in patch if key.startswith(ORDER)]:
        _reorder(out, patch, directive, node, depth)
    for key in sorted(patch, key=lambda name: not name.startswith(DELETE_FROM)):
        if key.startswith(DELETE_FROM):
            _delete_from(out, key.removeprefix(DELETE_FROM), patch[key])
        else:
            _set(out, key, patch[key], node, depth)
    return out


def _directed(patch: Object) -> Object:
    directive = patch[PATCH]
    if directive == "replace":
        del patch[PATCH]
        return patch
    if directive == "delete":
        return {}
    raise _unknown(directive, patch)


def _unknown(directive: Json, patch: Object) -> PatchFailed:
    return PatchFailed(f"unknown patch type: {printed(directive)} in map: {printed(patch)}")


def _retained(original: Object, patch: Object) -> Object:
    """A copy of the original, without what `$retainKeys` leaves out."""
    if RETAIN_KEYS not in patch:
        return dict(original)
    kept = patch.pop(RETAIN_KEYS)
    named = [key for key, value in patch.items() if value is not None and not key.startswith((ORDER, DELETE_FROM))]
    if not isinstance(kept, list) or any(key not in kept for key in named):
        raise BadPatch("invalid patch format of retainKeys")
    return {key: value for key, value in original.items() if key in kept}


def _set(out: Object, key: str, wanted: Json, node: Node, depth: int) -> None:
    if wanted is None:
        out.pop(key, None)
        return
    child = node.child(key) or DEDUCED
    before = out.get(key)
    if isinstance(before, dict) and isinstance(wanted, dict):
        out[key] = wanted if "replace" in child.patch_strategy else _map(before, wanted, child, depth + 1)
    elif isinstance(before, list) and isinstance(wanted, list):
        out[key] = _list(before, wanted, child, depth + 1)
    elif _directs(wanted):
        out.pop(key, None)
    else:
        _drop_nulls(wanted)
        out[key] = _without_directives(wanted)


def _drop_nulls(value: Json) -> None:
    """What is new in the document is taken as it is, only without nulls (they would delete)."""
    if isinstance(value, dict):
        for key in [key for key, child in value.items() if child is None]:
            del value[key]
    if isinstance(value, (dict, list)):
        for child in value.values() if isinstance(value, dict) else value:
            _drop_nulls(child)


def _delete_from(out: Object, key: str, values: Json) -> None:
    before = out.get(key)
    if values is None:
        out.pop(key, None)
    elif isinstance(before, list) and isinstance(values, list):
        _same_kinds(before, values)
        out[key] = [item for item in before if item not in values]


def _list(original: list[Json], patch: list[Json], node: Node, depth: int) -> list[Json]:
    if "merge" not in node.patch_strategy:
        return patch
    if not original and not patch:
        return original
    _same_kinds(original, patch)
    key = node.patch_key
    if isinstance((original or patch)[0], dict):
        if not key:
            raise PatchFailed(f"cannot merge lists without merge key for {node.definition or 'a list'}")
        original, patch = _special(original, patch, key)
        merged = _items(original, patch, key, node, depth)
        _all_have(key, merged)
    else:
        merged = list(dict.fromkeys([*original, *patch]))
    mine, others = partition(merged, patch, key)
    return ordered(mine, others, patch, original, key)


def _same_kinds(original: list[Json], patch: list[Json]) -> None:
    kinds = {type(item) for item in (*original, *patch)}
    if list in kinds:
        raise PatchFailed("lists of lists are not supported")
    if len(kinds) > 1:
        raise PatchFailed(f"list element types are not identical: [{printed(original)} {printed(patch)}]")


def _special(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Does the items that hold `$patch`; (the original without what they delete, the patch without them)."""
    plain = [item for item in patch if PATCH not in item]
    replace = False
    for item in patch:
        directive = item.get(PATCH)
        if PATCH not in item:
            continue
        if directive == "replace":
            replace = True
        elif directive == "delete":
            gone = _key(item, key)
            original = [each for each in original if by_key(each, key) != gone]
        elif directive == "merge":
            raise PatchFailed("merging lists cannot yet be specified in the patch")
        else:
            raise _unknown(directive, item)
    return (plain, []) if replace else (original, plain)


def _key(item: Object, key: str) -> Json:
    if key not in item:
        raise PatchFailed(f"map: {printed(item)} does not contain declared merge key: {key}")
    return item[key]


def _items(original: list[Any], patch: list[Any], key: str, node: Node, depth: int) -> list[Any]:
    merged = list(original)
    items = node.list.items if node.list is not None else DEDUCED
    for item in patch:
        wanted = _key(item, key)
        at = next((index for index, each in enumerate(merged) if by_key(each, key) == wanted), None)
        if at is None:
            merged.append(item)
        else:
            merged[at] = _map(merged[at], item, items, depth + 1)
    return merged


def _reorder(out: Object, patch: Object, directive: str, node: Node, depth: int) -> None:
    """Does one `$setElementOrder` with the list it is about; both are taken out of the patch."""
    name = directive.removeprefix(ORDER)
    order = _a_list(patch.pop(directive))
    before = _a_list(out[name]) if name in out else None
    wanted = _a_list(patch[name]) if name in patch else None
    child = _field(node, name)
    key = child.patch_key
    _check_order(wanted or [], order, key)
    if before is None and wanted is None:
        return
    both = [*(before or ()), *(wanted or ())]
    if before is None or wanted is None:
        merged = _without_directives(wanted) if wanted is not None else before or []
    else:
        merged = _list(before, wanted, child, depth + 1)
    if key:
        _all_have(key, merged)
    if not both:
        raise PatchFailed("no elements in any of the given slices")
    _same_kinds(before or [], wanted or [])
    mine, others = partition(merged, order, key)
    if isinstance(both[0], dict):
        _all_have(key, mine, order, others, before or [])
    out[name] = ordered(mine, others, order, before or [], key)
    patch.pop(name, None)


def _field(node: Node, name: str) -> Node:
    """The type of the list that an order is for. PatchFailed where there is none."""
    if node.map is None or not node.map.fields:
        if node is DEDUCED or node.map is None:
            return DEDUCED
        raise PatchFailed("merging an object in json but data type is not struct, instead is: map")
    child = node.map.fields.get(name)
    if child is None:
        struct = node.definition.rpartition(".")[2]
        raise PatchFailed(f'unable to find api field in struct {struct} for the json field "{name}"')
    return child


def _all_have(key: str, *lists: list[Any]) -> None:
    for items in lists:
        for item in items:
            _key(_a_map(item), key)


_GO_KINDS: Mapping[type, str] = {
    dict: "map[string]interface {}",
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    type(None): "%!s(<nil>)",
}


def _a_list(value: Json) -> list[Any]:
    if not isinstance(value, list):
        kind = _GO_KINDS[type(value)]
        raise PatchFailed(f"expected a []interface {{}}, but received a {kind}")
    return value


def _a_map(value: Any) -> Object:
    if not isinstance(value, dict):
        kind = _GO_KINDS.get(type(value), "[]interface {}")
        raise PatchFailed(f"expected a map[string]interface {{}}, but received a {kind}")
    return value


def _without_directives(value: Any) -> Any:
    """The value without the maps in it that hold `$patch`; the value itself does not. Maps are changed, lists made anew."""
    if isinstance(value, dict):
        for key, child in list(value.items()):
            if _directs(child):
                del value[key]
            else:
                value[key] = _without_directives(child)
        return value
    return [_without_directives(item) for item in value if not _directs(item)] if isinstance(value, list) else value


def _directs(value: Json) -> bool:
    return isinstance(value, dict) and PATCH in value


def _check_order(patch: list[Any], order: list[Any], key: str) -> None:
    """Every item of the patch must be in the order list, if that has any, in the same order."""
    if not order or not patch:
        return
    items = [item for item in patch if _a_map(item).get(PATCH) != "delete"] if key else patch
    at = place = 0
    while at < len(items) and place < len(order):
        if _directs(items[at]):
            at += 1
            continue
        at += _alike(items[at], order[place], key)
        place += 1
    if at < len(items):  # a directive at the end is one too many, as for the server
        raise PatchFailed(
            f"The order in patch list:\n{printed(patch)}\n doesn't match $setElementOrder list:\n{printed(order)}\n"
        )


def _alike(item: Any, other: Any, key: str) -> bool:
    if not key:
        return type(item) is type(other) and bool(item == other)
    mine, theirs = _key(_a_map(item), key), _key(_a_map(other), key)
    return type(mine) is type(theirs) and mine == theirs
