"""Links between fields: kustomize puts one and the same node wherever a transformer writes a new label or annotation.

So whoever changes the text in one of these fields later (another `labels` entry, a patch, a replacement) changes all of
them, until the object passes through a JSON patch.
"""

from typing import Any

from kilde.core.objects.yaml_scalars import Quoted


class Link:
    """What the fields of one link have in common."""

    __slots__ = ()


Changed = dict[Link, Any]


class _Text(str):
    __slots__ = ("link",)

    link: Link


class _QuotedText(Quoted):
    __slots__ = ("link",)

    link: Link


def tied(text: str, link: Link) -> str:
    """The text as one of the link's fields."""
    found = (_QuotedText if isinstance(text, Quoted) else _Text)(text)
    found.link = link
    return found


def put(old: Any, new: Any, changed: Changed) -> Any:
    """`new` in the place of `old`: it belongs to the same link, and is noted in `changed` for `spread`."""
    if type(old) is not _Text and type(old) is not _QuotedText:
        return new
    found = tied(new, old.link) if isinstance(new, str) else new
    changed[old.link] = found
    return found


def spread(value: Any, changed: Changed) -> None:
    """Brings what was noted in `changed` to all fields of an object that are linked with it."""
    if not changed:
        return
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if type(item) is _Text or type(item) is _QuotedText:
            value[key] = changed.get(item.link, item)
        else:
            spread(item, changed)


def detached(value: Any) -> Any:
    """A copy that is linked with nothing."""
    if isinstance(value, dict):
        return {key: detached(item) for key, item in value.items()}
    if isinstance(value, list):
        return [detached(item) for item in value]
    return str(value) if type(value) is _Text else Quoted(value) if type(value) is _QuotedText else value
