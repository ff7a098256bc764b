"""Dependencies: what the annotation `kilde.dev/depends-on` says, read once. Every problem is told at once, each with its item.

One item a line (or between commas, where no item has a condition), or a list in YAML:

    app/[NAMESPACE/]NAME[@synced|@healthy]
    [GROUP/]KIND [NAMESPACE/]NAME[@present|@healthy] [on CLUSTER] [ready-when CEL]
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kilde.core.apps.names import place_of, said
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import did_you_mean
from kilde.core.objects.ref import ObjectRef
from kilde.core.objects.yaml_reader import read_documents

ANNOTATION = "kilde.dev/depends-on"
MOST = 50  # items
_LONGEST = 16 << 10  # characters of the annotation
_LONGEST_CONDITION = 1000
_KEYS = ("application", "group", "kind", "namespace", "name", "cluster", "until", "ready")
_UNTIL = {True: ("", "synced", "healthy"), False: ("", "present", "healthy")}  # of an application, of an object
_APPLICATION = re.compile(r"app/(?P<name>[^\s@/]+(?:/[^\s@/]+)?)(?:@(?P<until>\S*))?$")
_OBJECT = re.compile(
    r"(?:(?P<group>[^\s/]+)/)?(?P<kind>[^\s/]+)\s+(?:(?P<namespace>[^\s/@]+)/)?(?P<name>[^\s/@]+)(?:@(?P<until>\S*))?"
    r"(?:\s+on\s+(?P<cluster>\S+))?$"
)
_CONDITION = re.compile(r"\sready-when(?:\s|$)")
_NAME = re.compile(r"[a-zA-Z0-9](?:[-.:a-zA-Z0-9]*[a-zA-Z0-9])?$")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*$")
_SHAPE = "write app/[NAMESPACE/]NAME, or [GROUP/]KIND [NAMESPACE/]NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One thing that is waited for: an application, or an object (of any application, or of none).

    `application` is as `Application.name`. `until` "" asks an application to be Synced and Healthy, and an object to be Healthy where
    its kind has a health. `ready` is a CEL expression over `object`, asked instead of the health. `item` counts from 1.
    """

    item: int
    application: str = ""
    ref: ObjectRef | None = None  # its namespace is "" where none was written
    cluster: str = ""
    until: str = ""
    ready: str = ""

    def __str__(self) -> str:
        what = f"application {said(self.application)}" if self.ref is None else str(self.ref)
        return what + (f" on {self.cluster}" if self.cluster else "")


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What was read, and what is wrong with it (nothing: it can be used)."""

    items: tuple[Dependency, ...] = ()
    problems: tuple[str, ...] = ()


NONE = Dependencies()


def depends_on(annotations: Mapping[str, str], home: str = "") -> Dependencies:
    """What these annotations of an Application say; `home`: the controller's namespace, which is meant where none is written."""
    text = annotations.get(ANNOTATION, "")
    return read(text, home) if text.strip() else NONE


@lru_cache(maxsize=4096)
def read(text: str, home: str = "") -> Dependencies:
    """Reads the annotation's text; never raises."""
    problems: list[str] = []
    found: list[Dependency] = []
    if len(text) > _LONGEST:
        return Dependencies(problems=(f"{ANNOTATION}: longer than {_LONGEST} characters",))
    try:
        items = list(_from_yaml(text) if text.lstrip()[0] in "-[" else _from_lines(text))
    except InvalidInput as error:
        return Dependencies(problems=(f"{ANNOTATION}: {error.what}",))
    if len(items) > MOST:
        return Dependencies(problems=(f"{ANNOTATION}: {len(items)} items, and {MOST} are the most",))
    for number, item in enumerate(items, 1):
        try:
            found.append(_dependency(number, item, home))
        except InvalidInput as error:
            problems.append(f"{ANNOTATION} item {number}: {error}")
    return Dependencies(tuple(found), tuple(problems))


def _from_lines(text: str) -> Iterable[str]:
    for line in text.splitlines():
        line = line.strip()
        if not line.startswith("#"):
            yield from [line] if _CONDITION.search(line) else filter(None, map(str.strip, line.split(",")))


def _from_yaml(text: str) -> Iterable[Any]:
    documents = read_documents(text.encode(), file="")
    body = documents[0].value if len(documents) == 1 else None
    if not isinstance(body, list):
        raise InvalidInput("must be a list", hint=_SHAPE)
    return body


def _dependency(number: int, item: Any, home: str) -> Dependency:
    fields = _written(item) if isinstance(item, str) else item
    if not isinstance(fields, Mapping):
        raise InvalidInput("must be a text or an object", hint=_SHAPE)
    for key, value in fields.items():
        if key not in _KEYS:
            raise InvalidInput(f"unknown field '{key}'{did_you_mean(str(key), _KEYS)}")
        if not isinstance(value, str):
            raise InvalidInput(f"{key} must be a string")
    made = _application(number, fields, home) if "application" in fields else _object(number, fields)
    known = _UNTIL[made.ref is None]
    if made.until not in known:
        raise InvalidInput(
            f"until '{made.until}' is neither {known[1]} nor {known[2]}{did_you_mean(made.until, known)}"
        )
    if len(made.ready) > _LONGEST_CONDITION:
        raise InvalidInput(f"its condition is longer than {_LONGEST_CONDITION} characters")
    return made


def _written(text: str) -> dict[str, str]:
    """The fields of an item that is one line."""
    head, *condition = _CONDITION.split(text.strip(), maxsplit=1)
    found = _APPLICATION.match(head.strip()) or _OBJECT.match(head.strip())
    if found is None:
        raise InvalidInput(f"'{text[:100]}' is not understood", hint=_SHAPE)
    fields = {key: value for key, value in found.groupdict().items() if value is not None}
    if found.groupdict().get("until") == "":
        raise InvalidInput("nothing stands after '@'")
    if condition:
        if not condition[0].strip():
            raise InvalidInput("nothing stands after 'ready-when'")
        fields["ready"] = condition[0].strip()
    if found.re is _APPLICATION:
        fields["application"] = fields.pop("name")
    return fields


def _application(number: int, fields: Mapping[str, str], home: str) -> Dependency:
    others = sorted(fields.keys() - {"application", "until"})
    if others:
        more = "; of an application, until says what is waited for" if "ready" in others else ""
        raise InvalidInput(f"an application has no {others[0]}{more}")
    namespace, own = place_of(fields["application"], home)
    name = _named(own, "application")
    if namespace != home:
        name = f"{_named(namespace, 'namespace')}_{name}"
    return Dependency(item=number, application=name, until=fields.get("until", ""))


def _object(number: int, fields: Mapping[str, str]) -> Dependency:
    for key in ("kind", "name"):
        if not fields.get(key):
            raise InvalidInput(f"names neither an application nor an object ({key} is missing)", hint=_SHAPE)
    if not _KIND.match(fields["kind"]):
        raise InvalidInput(f"'{fields['kind']}' is not a kind")
    group, namespace = fields.get("group", ""), fields.get("namespace", "")
    ref = ObjectRef(
        _named(group, "group") if group else "",
        fields["kind"],
        _named(namespace, "namespace") if namespace else "",
        _named(fields["name"], "object"),
    )
    if fields.get("ready") and fields.get("until"):
        raise InvalidInput("has both until and ready")
    return Dependency(
        item=number,
        ref=ref,
        cluster=fields.get("cluster", ""),
        until=fields.get("until", ""),
        ready=fields.get("ready", "").strip(),
    )


def _named(text: str, what: str) -> str:
    if len(text) > 253 or not _NAME.match(text):
        raise InvalidInput(f"'{text[:100]}' is no {what}'s name")
    return text
