"""Requests of a cluster: tried again while that may help, about kinds as the cluster serves them."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from kilde.core.apply.retry import MAX_TRIES, wait_before, worth_another_try
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

T = TypeVar("T")


async def persist(call: Callable[[], Awaitable[T]], clock: Clock, *, versioned: bool = False) -> T:
    """The answer of a call that is tried again while that may help. Raises the last ClusterError.

    `versioned`: the call names the version that it changes; once that is outdated the same call can only fail again.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return await call()
        except ClusterError as error:
            outdated = versioned and error.status == 409
            lost = tries >= MAX_TRIES or error.reason == "Interrupted"
            if outdated or lost or not worth_another_try(error):
                raise
            await clock.sleep(wait_before(error, tries, dice=clock.dice()))


async def resource_of(cluster: Cluster, ref: ObjectRef, version: str, namespace: str = "") -> Resource:
    """The kind as the cluster serves it at this version; asks anew once before it is called unknown.

    `namespace` is named with an object of an unknown kind that names none.
    """
    for refresh in (False, True):
        discovery = await cluster.discovery(refresh=refresh)
        found = discovery.resource(ref.group, ref.kind, version)
        if found is not None:
            return found
    served = discovery.versions(ref.group, ref.kind)
    kind = str(ref.group_kind)
    place = "/".join(part for part in (ref.namespace or namespace, ref.name) if part)
    if served:
        raise ClusterError(
            f'The Kubernetes API could not find version "{version}" of {kind} for requested resource {place}. '
            f'Version "{served[0]}" of {kind} is installed on the destination cluster.',
            status=404,
            reason="UnknownKind",
        )
    raise ClusterError(
        f'The Kubernetes API could not find {kind} for requested resource {place}. Make sure the "{ref.kind}" CRD is '
        "installed on the destination cluster.",
        status=404,
        reason="UnknownKind",
    )
