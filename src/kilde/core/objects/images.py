"""The container images that an object names: Pods, and whatever has a pod template."""

from collections.abc import Iterable
from typing import Any


def images_of(bodies: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Every container image that these objects name, sorted."""
    found: set[str] = set()
    for body in bodies:
        for pod in _pod_specs(body):
            for block in ("containers", "initContainers"):
                containers = pod.get(block)
                if isinstance(containers, list):
                    found.update(str(c["image"]) for c in containers if isinstance(c, dict) and c.get("image"))
    return tuple(sorted(found))


def _pod_specs(body: dict[str, Any]) -> Iterable[dict[str, Any]]:
    spec = body.get("spec")
    if not isinstance(spec, dict):
        return
    if body.get("kind") == "Pod":
        yield spec
    job = spec.get("jobTemplate")
    for owner in (spec, job.get("spec") if isinstance(job, dict) else None):
        template = owner.get("template") if isinstance(owner, dict) else None
        if isinstance(template, dict) and isinstance(template.get("spec"), dict):
            yield template["spec"]
