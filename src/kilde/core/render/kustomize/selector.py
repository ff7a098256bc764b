"""Selectors: which objects a patch or a replacement means."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.kustomize.resource import Gvk, ResId, Resource

if TYPE_CHECKING:
    from kilde.core.render.patterns import Pattern


class Selector(NamedTuple):
    """Group, version, kind, name, namespace (regular expressions over the whole text) and two label selectors."""

    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    label_selector: str = ""
    annotation_selector: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any] | None) -> "Selector":
        raw = raw or {}
        return cls(
            raw.get("group") or "", raw.get("version") or "", raw.get("kind") or "", raw.get("name") or "",
            raw.get("namespace") or "", raw.get("labelSelector") or "", raw.get("annotationSelector") or "",
        )  # fmt: skip


class Matcher:
    """A Selector made ready. Raises RenderFailed for a pattern or a label selector that is none."""

    def __init__(self, selector: Selector) -> None:
        self.selector = selector
        self.group, self.version, self.kind, self.name, self.namespace = (
            whole_pattern(text)
            for text in (selector.group, selector.version, selector.kind, selector.name, selector.namespace)
        )
        self.labels = LabelSelector(selector.label_selector)
        self.annotations = LabelSelector(selector.annotation_selector)

    def matches_gvk(self, gvk: Gvk) -> bool:
        return _fits(self.group, gvk.group) and _fits(self.version, gvk.version) and _fits(self.kind, gvk.kind)

    def matches_id(self, found: ResId) -> bool:
        """Gvk, name and namespace of one id."""
        return self.matches_gvk(found.gvk) and _fits(self.name, found.name) and self.fits_namespace(found)

    def fits_namespace(self, found: ResId) -> bool:
        return _fits(self.namespace, found.effective_namespace)

    def matches_labels(self, resource: Resource) -> bool:
        return self.labels.matches(resource.strings("labels")) and self.annotations.matches(
            resource.strings("annotations")
        )

    def selects(self, resource: Resource) -> bool:
        """As patches select: name and namespace of the original or the present id, kind of the present one."""
        now, original = resource.id, resource.original_id
        if not (self.fits_namespace(original) or self.fits_namespace(now)):
            return False
        if not (_fits(self.name, original.name) or _fits(self.name, now.name)):
            return False
        return self.matches_gvk(now.gvk) and self.matches_labels(resource)


def whole_pattern(text: str) -> "Pattern | None":
    """A pattern that must fit the whole text; None for an empty one. Raises RenderFailed where it is none."""
    if not text:
        return None
    from kilde.core.render.patterns import compile_pattern

    compile_pattern(text)  # on its own, so that `a)(b` is refused
    return compile_pattern(f"^(?:{_unanchored(text)})$")


def _unanchored(text: str) -> str:
    text = text.removeprefix("^")
    if text.endswith("$") and not text.endswith("\\$"):
        text = text[:-1]
    return text


def _fits(compiled: "Pattern | None", text: str) -> bool:
    return compiled is None or compiled.search(text)


_REQUIREMENT = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<gone>[^\s,!=()]+)"
    r"|(?P<key>[^\s,!=()<>]+)\s*(?:(?P<set>in|notin)\s*\((?P<values>[^()]*)\)"
    r"|(?P<op>==|=|!=|<|>)\s*(?P<value>[^\s,!=()]*))?)\s*(?:,|$)"
)


class LabelSelector:
    """Kubernetes' label selector grammar: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas."""

    def __init__(self, text: str) -> None:
        self.requirements: list[tuple[str, str, frozenset[str]]] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = _REQUIREMENT.match(text, at)
            if found is None or found.end() == at:
                raise RenderFailed(f"'{text}' is no label selector")
            self.requirements.append(_requirement(found))
            at = found.end()
        if text.endswith(","):
            raise RenderFailed(f"'{text}' is no label selector")

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(_holds(labels, key, operator, values) for key, operator, values in self.requirements)


def _requirement(found: re.Match[str]) -> tuple[str, str, frozenset[str]]:
    if found["absent"]:
        return (found["gone"], "absent", frozenset())
    if found["set"]:
        return (found["key"], found["set"], frozenset(value.strip() for value in found["values"].split(",")))
    if found["op"]:
        operator = {"=": "in", "==": "in", "!=": "notin"}.get(found["op"], found["op"])
        return (found["key"], operator, frozenset({found["value"]}))
    return (found["key"], "present", frozenset())


def _holds(labels: Mapping[str, str], key: str, operator: str, values: frozenset[str]) -> bool:
    if operator == "present":
        return key in labels
    if operator == "absent":
        return key not in labels
    if operator == "notin":
        return key not in labels or labels[key] not in values
    if key not in labels:
        return False
    if operator == "in":
        return labels[key] in values
    try:
        bound, value = int(next(iter(values))), int(labels[key])
    except ValueError:
        return False
    return value > bound if operator == ">" else value < bound
