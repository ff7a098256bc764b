"""What has to happen to the entries of a collection so that it says something else: which stay, go, change and come."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from kilde.core.objects.yaml_writer import sort_keys

ABSENT: Final = object()
_IDENTITY = ("name", "path", "chartName")


class Change(NamedTuple):
    """Entry `at` (None: a new one) says `old` and is to say `new` (ABSENT: nothing, it goes). `name` is a new one's key."""

    at: int | None
    old: Any
    new: Any
    name: str = ""


def changes_of_mapping(names: Sequence[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """For the entries called `names`; a new one comes where it sorts if they are sorted, else last.

    Of entries with the same name the last one counts. An entry that is in neither mapping stays; what is in both without
    being an entry (it comes from a merge key) stays so, too.
    """
    last = {name: at for at, name in enumerate(names)}
    found = [
        Change(at, old.get(name), _wanted(name, old, new, is_last=last[name] == at)) for at, name in enumerate(names)
    ]
    added = [name for name in sort_keys(new) if name not in last and new[name] != old.get(name)]
    known = [name for name in names if name in old]
    if not known or known != sort_keys(known):
        return found + [Change(None, None, new[name], name) for name in added]
    order = {name: place for place, name in enumerate(sort_keys({*known, *added}))}
    for name in reversed(added):
        before = [at for at, other in enumerate(names) if order.get(other, -1) >= 0 and order[other] < order[name]]
        found.insert(before[-1] + 1 if before else 0, Change(None, None, new[name], name))
    return found


def _wanted(name: str, old: Mapping[str, Any], new: Mapping[str, Any], *, is_last: bool) -> Any:
    if name in new:
        return new[name] if is_last else old.get(name)
    return ABSENT if name in old else None


def changes_of_sequence(old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    """Equal elements stay; of those between them, the ones that are about the same thing change, others go and come."""
    before, after = list(map(_digest, old)), list(map(_digest, new))
    left = _left(before, after)
    if left is not None:  # nothing comes: in one pass, where the matcher's cost grows with the square of what goes
        yield from (Change(at, item, item if at in left else ABSENT) for at, item in enumerate(old))
        return
    if len(old) == len(new) and all(map(_is_equal_or_same_thing, old, new)):
        yield from map(Change, range(len(old)), old, new)
        return
    from difflib import SequenceMatcher  # an edit of a single field does without

    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, begin, end, new_begin, new_end in matcher.get_opcodes():
        if kind == "equal":
            yield from (Change(at, old[at], old[at]) for at in range(begin, end))
        else:
            yield from _paired(old, range(begin, end), new[new_begin:new_end])


def _left(before: Sequence[Any], after: Sequence[Any]) -> set[int] | None:
    """The places of the elements that are left if others only go; None if any comes."""
    found: set[int] = set()
    for at, item in enumerate(before):
        if len(found) < len(after) and item == after[len(found)]:
            found.add(at)
    return found if len(found) == len(after) else None


def _paired(old: Sequence[Any], places: range, new: Sequence[Any]) -> Iterator[Change]:
    if len(places) == len(new) and all(type(old[at]) is type(item) for at, item in zip(places, new, strict=True)):
        yield from (Change(at, old[at], item) for at, item in zip(places, new, strict=True))
        return
    waiting = list(new)
    for at in places:
        twin = next((i for i, item in enumerate(waiting) if _is_same_thing(old[at], item)), None)
        if twin is None:
            yield Change(at, old[at], ABSENT)
            continue
        yield from (Change(None, None, item) for item in waiting[:twin])
        yield Change(at, old[at], waiting[twin])
        del waiting[: twin + 1]
    yield from (Change(None, None, item) for item in waiting)


def _is_same_thing(old: Any, new: Any) -> bool:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return False
    return any(old.get(key) is not None and old.get(key) == new.get(key) for key in _IDENTITY)


def _is_equal_or_same_thing(old: Any, new: Any) -> bool:
    return _is_same_thing(old, new) or _digest(old) == _digest(new)


def _digest(value: Any) -> Any:
    """Something that is equal, and hashes equally, for equal values of equal types."""
    if isinstance(value, dict):
        return frozenset((key, _digest(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(map(_digest, value))
    return type(value), value
