"""Loading: manifests applied to a cluster before it says that it is ready, as if somebody had applied them at once."""

import asyncio
from collections.abc import Iterable, Sequence

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.kinds import apply_order
from kilde.core.objects.manifest import Manifest
from kilde.kubeapi.controllers import simulation_rule
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.local import LocalApi

_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
_MANAGER = "kilde-load"
_PAUSE, _TRIES = 0.05, 100  # what a controller has to make first (a service account, say) is waited for so long


class CannotLoad(InvalidInput):
    """A manifest was refused."""

    code = "cannot-load"


async def load(api: LocalApi, manifests: Sequence[Manifest], *, rules: bool) -> None:
    """Applies them, kinds that others need first; missing namespaces are made. CannotLoad names what was refused, and where.

    With `rules`, or where a manifest is a SimulationRule, that kind is served.
    """
    if rules or any(manifest.group == simulation_rule.GROUP for manifest in manifests):
        await api.apply(_DEFINITIONS, simulation_rule.definition(), manager=_MANAGER, force=True)
    left = sorted(manifests, key=lambda one: (one.kind != "CustomResourceDefinition", apply_order(one.group, one.kind)))
    for attempt in range(_TRIES):
        refused = await _apply_all(api, left)
        if not refused:
            return
        left = [manifest for manifest, _ in refused]
        if attempt + 1 < _TRIES:
            await asyncio.sleep(_PAUSE)
    manifest, error = refused[0]
    raise CannotLoad(error.message, about=str(manifest.ref), place=manifest.origin) from error


async def _apply_all(api: LocalApi, manifests: Iterable[Manifest]) -> list[tuple[Manifest, ApiError]]:
    """Applies all; those that were refused for a reason that may pass. CannotLoad for one that cannot."""
    refused = []
    for manifest in manifests:
        try:
            await _apply(api, manifest)
        except ApiError as error:
            if error.status not in (403, 404, 409, 500):
                raise CannotLoad(error.message, about=str(manifest.ref), place=manifest.origin) from error
            refused.append((manifest, error))
    return refused


async def _apply(api: LocalApi, manifest: Manifest) -> None:
    if manifest.namespace:
        await _ensure_namespace(api, manifest.namespace)
    await api.apply_manifest(manifest.body, manager=_MANAGER)


async def _ensure_namespace(api: LocalApi, name: str) -> None:
    try:
        await api.get("namespaces", "", name)
    except ApiError as error:
        if error.status != 404:
            raise
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await api.apply("namespaces", body, manager=_MANAGER)
