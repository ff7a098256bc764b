"""The registry of defaults: OpenAPI definition → what sets the defaults of such a value.

A function gets the value as Go would write it (empty fields are absent), its inner values done, and changes it in place; the walk made it.
"""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults import (
    admission,
    autoscaling,
    batch,
    cluster,
    containers,
    extensions,
    networking,
    pods,
    rbac,
    storage,
    volumes,
    workloads,
)

Default = Callable[[Object], None]

DEFAULTS: Mapping[str, Default] = {
    **admission.DEFAULTS,
    **autoscaling.DEFAULTS,
    **batch.DEFAULTS,
    **cluster.DEFAULTS,
    **containers.DEFAULTS,
    **extensions.DEFAULTS,
    **networking.DEFAULTS,
    **pods.DEFAULTS,
    **rbac.DEFAULTS,
    **storage.DEFAULTS,
    **volumes.DEFAULTS,
    **workloads.DEFAULTS,
}

# What happens to an object of its own, and not where the same type is part of another.
ON_OBJECTS: Mapping[str, Default] = {}
