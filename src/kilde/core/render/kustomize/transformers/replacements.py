"""replacements: a value of one object copied into fields of others."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kilde.core.basics.errors import InvalidInput, KildeError, RenderFailed
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import Quoted, copy_tree, is_null, resolve_12, text_of
from kilde.core.render.kustomize import links
from kilde.core.render.kustomize.budget import STEP, Budget
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.fields import CREATED, retyped
from kilde.core.render.kustomize.loader import Loader
from kilde.core.render.kustomize.paths import is_index, look_up, smart_path
from kilde.core.render.kustomize.resource import Gvk, ResId, Resource, as_text
from kilde.core.render.kustomize.selector import Matcher, Selector
from kilde.core.render.kustomize.shapes import REPLACEMENT, decode

if TYPE_CHECKING:
    from kilde.core.render.patterns import Pattern

_DEFAULT_PATH = "metadata.name"


def replace_all(collection: Collection, entries: list[Any], loader: Loader) -> None:
    """Runs the replacements in order; each sees what the one before it did. Raises RenderFailed where one cannot be done."""
    for raw in [found for entry in entries for found in _inlined(entry, loader)]:
        has_source = bool(raw.get("source")) or "sourceValue" in raw
        if not has_source or not raw.get("targets"):
            raise RenderFailed("must specify a source and at least one target", about="replacements")
        loader.budget.spend(STEP * len(collection), "replacements")
        value = _source_value(collection, raw)
        for target in raw["targets"]:
            _replace(collection, target, value, loader.budget)
        collection.changed()


def _inlined(entry: Mapping[str, Any], loader: Loader) -> Iterator[Mapping[str, Any]]:
    path = entry.get("path") or ""
    if not path:
        yield entry
        return
    if entry.get("source") or entry.get("targets"):
        raise RenderFailed("cannot specify both path and inline replacement", about="replacements")
    documents = read_documents(loader.read(path), file=loader.place(path), mode="kubernetes", duplicates="last")
    value = documents[0].value if documents else None
    if not isinstance(value, (dict, list)):
        raise RenderFailed("is neither a replacement nor a list of them", about=path)
    place = documents[0].place()
    for item in value if isinstance(value, list) else [value]:
        yield decode(item, REPLACEMENT, path, place, strict=False)


Source = Callable[[], Any]


def _source_value(collection: Collection, raw: Mapping[str, Any]) -> Source:
    """What gives the value: kustomize holds on to the source's field, so a target that is this very field changes it."""
    if "sourceValue" in raw:
        if raw.get("source"):
            raise RenderFailed("value and resource selectors are mutually exclusive", about="replacements")
        value = resolve_12(raw["sourceValue"]) if raw["sourceValue"] else Quoted("")
        return lambda: value
    source = raw["source"]
    resource = _source(collection, source)
    path = source.get("fieldPath") or _DEFAULT_PATH
    found = look_up(resource.body, smart_path(path))
    if found is None or is_null(found[0]) or found[0] in ({}, []):
        raise RenderFailed(
            f"fieldPath '{path}' is missing for replacement source", about=str(resource), place=resource.place
        )
    value, holder, key = found
    options = source.get("options") or {}
    if not options.get("delimiter"):
        return lambda: links.detached(holder[key])
    part = _part(links.detached(value), options)
    return lambda: part


def _source(collection: Collection, raw: Mapping[str, Any]) -> Resource:
    wanted = Gvk(raw.get("group") or "", raw.get("version") or "", raw.get("kind") or "")
    name, namespace = raw.get("name") or "", raw.get("namespace") or ""

    def selected(found: ResId) -> bool:
        if not wanted.selects(found.gvk) or (name and name != found.name):
            return False
        return not namespace or ResId(wanted, name, namespace).effective_namespace == found.effective_namespace

    found = [resource for resource in collection if any(map(selected, resource.any_ids))]
    what = ", ".join(f"{key} {value}" for key, value in raw.items() if isinstance(value, str))
    if len(found) > 1:
        raise RenderFailed(f"multiple matches for selector ({what})", about="replacements")
    if not found:
        raise RenderFailed(f"nothing selected by ({what})", about="replacements")
    return found[0]


def _part(value: Any, options: Mapping[str, Any]) -> Any:
    """One part of the value."""
    delimiter = options["delimiter"]
    if isinstance(value, (dict, list)):
        raise RenderFailed("delimiter option can only be used with scalar nodes", about="replacements")
    parts, index = text_of(value).split(delimiter), int(options.get("index") or 0)
    if not 0 <= index < len(parts):
        raise RenderFailed(f"options.index {index} is out of bounds for value {text_of(value)}", about="replacements")
    return parts[index] if type(value) is str else as_text(value, parts[index])


def _replace(collection: Collection, target: Mapping[str, Any], value: Source, budget: Budget) -> None:
    if target.get("select") is None:
        raise RenderFailed("target must specify resources to select", about="replacements")
    select = Matcher(Selector.of(target["select"]))
    rejects = [Matcher(Selector.of(raw)) for raw in target.get("reject") or []]
    budget.spend(STEP * len(collection), "replacements")
    paths = target.get("fieldPaths") or [_DEFAULT_PATH]
    for resource in collection:
        if not select.matches_labels(resource) or _rejected(resource, rejects):
            continue
        if any(select.matches_id(found) for found in resource.any_ids):
            for path in paths:
                try:
                    _copy(resource, path, value, target.get("options") or {}, budget)
                except InvalidInput as error:
                    if error.place is not None:
                        raise
                    raise RenderFailed(error.what, about=str(resource), place=resource.place) from error


def _rejected(resource: Resource, rejects: list[Matcher]) -> bool:
    for reject in rejects:
        chosen = reject.selector
        if (chosen.label_selector or chosen.annotation_selector) and reject.matches_labels(resource):
            return True
        by_id = any((chosen.group, chosen.version, chosen.kind, chosen.name, chosen.namespace))
        if by_id and any(reject.matches_id(found) for found in resource.any_ids):
            return True
    return False


def _copy(resource: Resource, path: str, source: Source, options: Mapping[str, Any], budget: Budget) -> None:
    value = source()
    create = bool(options.get("create"))
    budget.spend_copy(value, "replacements")
    parts = smart_path(path)
    try:
        from kilde.core.render.kustomize.structured import set_in_structured_text

        if set_in_structured_text(resource.body, parts, value, find, create=create):
            return
    except KildeError:
        pass  # not such a text after all: the path is an ordinary one
    try:
        found = find(resource.body, parts, value if create else None)
    except InvalidInput as error:
        raise RenderFailed(
            f"unable to find{' or create' if create else ''} field '{path}' in replacement target: {error.what}"
        ) from error
    if not found:
        raise RenderFailed(f"unable to find{' or create' if create else ''} field '{path}' in replacement target")
    if parts == ["metadata", "annotations"]:
        resource.forget()
    for holder, key in found:
        value = source()
        budget.spend_copy(value, "replacements")
        budget.spend_copy(holder[key], "replacements")
        changed: links.Changed = {}
        if is_null(holder[key]) and parts[:2] == ["metadata", "annotations"]:
            holder[key] = ""  # annotations are strings in the end, whatever they were
        holder[key] = links.put(holder[key], _put(holder[key], value, options), changed)
        links.spread(resource.body, changed)


def _put(old: Any, value: Any, options: Mapping[str, Any]) -> Any:
    delimiter = options.get("delimiter") or ""
    if delimiter:
        if isinstance(old, (dict, list)):
            raise RenderFailed("delimiter option can only be used with scalar nodes")
        parts, index, text = text_of(old).split(delimiter), int(options.get("index") or 0), _text(value)
        if index < 0:
            parts.insert(0, text)
        elif index >= len(parts):
            parts.append(text)
        else:
            parts[index] = text
        return retyped(old, delimiter.join(parts))
    return put_value(old, value)


def put_value(old: Any, value: Any) -> Any:
    """A scalar gets the value's text and keeps its own quotes; anything else is replaced."""
    if isinstance(old, (dict, list)):
        return copy_tree(value)
    if isinstance(value, (dict, list)):
        return copy_tree(value) if is_null(old) else ""
    return retyped(old, text_of(value))


def _text(value: Any) -> str:
    return "" if isinstance(value, (dict, list)) else text_of(value)


Handle = tuple[Any, Any]


def find(value: Any, parts: list[str], create: Any = None) -> list[Handle]:
    """Every field that a path means, as (holder, key). `create` is the value that a missing field will get, or None.

    Raises InvalidInput where the path runs into something else than it says.
    """
    root = {"": value}
    return _find(root, "", parts, create)


def _find(holder: Any, key: Any, parts: list[str], create: Any) -> list[Handle]:
    if not parts:
        return [(holder, key)]
    value, part, rest = holder[key], parts[0], parts[1:]
    if is_index(part):
        return _find_index(value, int(part), rest, create)
    if part.startswith("[") and part.endswith("]"):
        return _find_matching(value, part, rest, create)
    if part == "*":
        return [handle for index in range(len(_elements(value))) for handle in _find(value, index, rest, create)]
    if is_null(value):
        return []
    if not isinstance(value, dict):
        raise InvalidInput(f"'{part}' is looked for in what is no map")
    if part not in value:
        if create is None:
            return []
        value[part] = _made(rest, create)
    if rest and not isinstance(value[part], (dict, list)):
        return _find_in_text(value[part], rest, create)
    return _find(value, part, rest, create)


def _find_in_text(value: Any, rest: list[str], create: Any) -> list[Handle]:
    """Fields of what a text holds. They are found but lost again: only a text that can be written anew is changed."""
    if is_null(value):
        if not text_of(value):
            raise InvalidInput("a map or a list is expected, not nothing")
        return [] if create is None else [({"": CREATED}, "")]
    documents = read_documents(text_of(value).encode(), file="", mode="kustomize")
    found = find(documents[0].value, rest, create) if documents else []
    return [({"": CREATED}, "") for _ in found]


def _elements(value: Any) -> list[Any]:
    if is_null(value):
        return []
    if not isinstance(value, list):
        raise InvalidInput("a list is expected")
    return value


def _find_index(value: Any, index: int, rest: list[str], create: Any) -> list[Handle]:
    elements = _elements(value)
    if index == len(elements) and create is not None:
        elements.append(_made(rest, create))
    if index >= len(elements):
        raise InvalidInput(f"index {index} specified but only {len(elements)} elements found")
    return _find(elements, index, rest, create)


def _find_matching(value: Any, part: str, rest: list[str], create: Any) -> list[Handle]:
    name, equals, wanted = part[1:-1].partition("=")
    if not equals:
        raise InvalidInput("list path element must contain fieldName=fieldValue for element to match")
    from kilde.core.render.patterns import compile_pattern

    compiled = compile_pattern(wanted)
    found = _matches(value, name, compiled, rest, create)
    if found or create is None:
        return found
    _elements(value).append({name: resolve_12(wanted)} if name else resolve_12(wanted))
    return _matches(value, name, compiled, rest, create)


def _matches(value: Any, name: str, compiled: "Pattern", rest: list[str], create: Any) -> list[Handle]:
    found: list[Handle] = []
    for index, item in enumerate(_elements(value)):
        if not name:
            if not isinstance(item, (dict, list)) and compiled.search(_line(item)):
                found.append((value, index))
        elif isinstance(item, dict) and name in item and compiled.search(_line(item[name])):
            found.extend(_find(value, index, rest, create))
    return found


def _line(value: Any) -> str:
    return _text(value).strip()


def _made(rest: list[str], create: Any) -> Any:
    """What a missing field begins as, by what comes next on the path."""
    if not rest:
        return {} if isinstance(create, dict) else [] if isinstance(create, list) else CREATED
    return [] if is_index(rest[0]) or rest[0] == "*" or rest[0].startswith("[") else {}
