"""Selectors: which objects a patch or a replacement means."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kilde.core.basics.errors import InvalidInput, RenderFailed
from kilde.core.objects.selector import LabelSelector, parse_labels
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
        self.labels = _label_selector(selector.label_selector)
        self.annotations = _label_selector(selector.annotation_selector)

    def matches_gvk(self, gvk: Gvk) -> bool:
        return _fits(self.group, gvk.group) and _fits(self.version, gvk.version) and _fits(self.kind, gvk.kind)

    def matches_id(self, found: ResId) -> bool:
        """Gvk, name and namespace of one id, as replacements select: no namespace is not `default`, unless it once was."""
        return self.matches_gvk(found.gvk) and _fits(self.name, found.name) and _fits(self.namespace, found.namespace)

    def fits_namespace(self, found: ResId) -> bool:
        return _fits(self.namespace, found.effective_namespace)

    def matches_labels(self, resource: Resource) -> bool:
        for field in ("labels", "annotations"):
            if isinstance(resource.metadata.get(field), list):
                resource.strings(field)  # refused, whatever is asked for
        return (self.labels.everything or self.labels.matches(resource.strings("labels"))) and (
            self.annotations.everything or self.annotations.matches(resource.strings("annotations"))
        )

    def selects(self, resource: Resource) -> bool:
        """As patches select: name and namespace of the original or the present id, kind of the present one."""
        names = [name for _, name, _ in resource.former[:1]]
        if self.name is not None and not any(map(self.name.search, (resource.name, *names))):
            return False
        ids = (resource.original_id, resource.id) if self.namespace is not None else ()
        if ids and not any(map(self.fits_namespace, ids)):
            return False
        return self.matches_gvk(resource.gvk) and self.matches_labels(resource)


def _label_selector(text: str) -> LabelSelector:
    try:
        return parse_labels(text)
    except InvalidInput as error:
        raise RenderFailed(error.what, about=f"selector '{text}'") from error


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
