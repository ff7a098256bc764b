"""replicas: the count of the workloads with a name."""

from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_scalars import Quoted
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.fields import FieldSpec, apply_one, scalar_text


def set_replicas(collection: Collection, replica: Mapping[str, Any], specs: Iterable[FieldSpec]) -> None:
    """Raises RenderFailed if nothing that can be scaled has, or had, this name."""
    name, count, found = replica.get("name") or "", int(replica.get("count") or 0), False

    def setter(value: Any) -> Any:
        scalar_text(value, "replicas")
        return Quoted(str(count)) if isinstance(value, Quoted) else count

    named = collection.matching_any_id(lambda found: found.name == name)
    for spec in specs:
        for resource in named:
            if not any(old.name == name and spec.gvk.selects(old.gvk) for old in resource.any_ids):
                continue
            found = True
            if spec.gvk.selects(resource.gvk):
                apply_one(resource, spec, setter, "scalar")
    if not found:
        raise RenderFailed(f"no resource with name {name} can be scaled", about="replicas")
