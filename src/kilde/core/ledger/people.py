"""People: their names and addresses are kept apart from the records, which hold a commitment to them instead.

A reference is HMAC-SHA256 over the text under a key of that person's own. With the key it proves the text; once both are erased it is a
random number: nobody can guess a name and try it, and every hash and proof is what it was.
"""

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

PREFIX = "person:"
KEY_BYTES = 32
ERASED = "(erased)"
_NOBODY = frozenset({"", "automated", "unknown"})
_OF_BODY = ("askedBy", "by")
_OF_REVISION = ("author", "committer", "signer")
_LISTS_OF_REVISION = ("reviewers",)


class Person(NamedTuple):
    """Who a reference stands for: `key` as hex, `text` as Git or the command line gave it."""

    key: str
    text: str


def reference(key: bytes, text: str) -> str:
    """The commitment that records hold."""
    return PREFIX + hmac.new(key, text.encode(), sha256).hexdigest()


def is_true(ref: str, person: Person) -> bool:
    """Whether that person is who the reference was made for."""
    try:
        return hmac.compare_digest(reference(bytes.fromhex(person.key), person.text), ref)
    except (ValueError, UnicodeError):
        return False


def hidden(body: dict[str, Any], refer: Callable[[str], str]) -> dict[str, Any]:
    """The body with every person replaced by what `refer` gives for the text."""

    def cover(text: Any) -> Any:
        known = not isinstance(text, str) or text in _NOBODY or text.startswith(PREFIX)
        return text if known else refer(text)

    return _changed(body, cover)


def shown(body: dict[str, Any], people: Mapping[str, Person]) -> dict[str, Any]:
    """The body with every reference replaced by the person; `(erased)` where there is none any more."""

    def uncover(text: Any) -> Any:
        if not isinstance(text, str) or not text.startswith(PREFIX):
            return text
        person = people.get(text)
        return person.text if person else ERASED

    return _changed(body, uncover)


def references(body: Mapping[str, Any]) -> set[str]:
    """The people that a body names."""
    found: set[str] = set()

    def note(text: Any) -> Any:
        if isinstance(text, str) and text.startswith(PREFIX):
            found.add(text)
        return text

    _changed(dict(body), note)
    return found


def _changed(body: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    revision = body.get("revision")
    touched = {key: change(body[key]) for key in _OF_BODY if key in body}
    if isinstance(revision, dict):
        inner = {key: change(revision[key]) for key in _OF_REVISION if key in revision}
        for key in _LISTS_OF_REVISION:
            if isinstance(revision.get(key), list):
                inner[key] = [change(item) for item in revision[key]]
        touched["revision"] = {**revision, **inner}
    return {**body, **touched}
