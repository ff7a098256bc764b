"""namePrefix and nameSuffix."""

from collections.abc import Iterable
from typing import Any

from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.fields import FieldSpec, apply_one, scalar_text
from kilde.core.render.kustomize.resource import Gvk, Resource, as_text

_NEVER_AFFIXED = (
    Gvk(kind="CustomResourceDefinition"),
    Gvk(group="apiregistration.k8s.io", kind="APIService"),
    Gvk(kind="Namespace"),
)


def add_affix(collection: Collection, *, prefix: str = "", suffix: str = "", specs: Iterable[FieldSpec]) -> None:
    """Puts the prefix before, or the suffix behind, the name and whatever else the specs name; notes the old id."""

    def setter(value: Any) -> Any:
        return as_text(value, prefix + scalar_text(value, "a name") + suffix)

    for resource in collection:
        gvk = resource.original_id.gvk
        if _never_affixed(gvk):
            continue
        for spec in specs:
            if spec.gvk.selects(gvk):
                if spec.path == "metadata/name":
                    _note(resource, prefix, suffix)
                if spec.gvk.selects(resource.gvk):
                    apply_one(resource, spec, setter, "scalar")
    collection.changed()


def _note(resource: Resource, prefix: str, suffix: str) -> None:
    """Keeps the old id, and what was put around it: it decides between references later."""
    if prefix:
        resource.prefixes.append(prefix)
    if suffix:
        resource.suffixes.append(suffix)
    if prefix or suffix:
        resource.remember_id()


def _never_affixed(gvk: Gvk) -> bool:
    return any(skipped.selects(gvk) for skipped in _NEVER_AFFIXED)
