"""Windows of the guard: who asks for one is answered, whatever else is written in that moment."""

import asyncio
from typing import Any

import pytest

from engine.world import CONFIG_MAPS, play
from kilde.core.basics.moment import rfc3339
from kilde.core.guard import manifests
from kilde.core.objects.ref import ObjectRef

pytestmark = pytest.mark.anyio


def window(p: Any, name: str, *, seconds: float) -> dict[str, Any]:
    until = rfc3339(p.controller.context.now() + seconds)
    meta = {"name": name, "namespace": "argocd", "labels": {manifests.LABEL: manifests.WINDOW}}
    return {"metadata": meta, "data": {"who": "ann", "reason": "a repair", "until": until}}


async def test_a_window_that_is_asked_for_while_another_is_taken_away_is_answered() -> None:
    async with play() as p:
        go = asyncio.Event()
        p.cluster.hold = lambda verb, ref: go if verb == "delete" else None
        await p.cluster.create(CONFIG_MAPS, window(p, "over", seconds=-60.0), manager="person")
        await p.until(lambda: p.cluster.counts().get("delete"))
        p.cluster.hold = None
        await p.cluster.delete(CONFIG_MAPS, "argocd", "over", propagation="Background")  # by somebody who was faster
        await p.cluster.create(CONFIG_MAPS, window(p, "new", seconds=600.0), manager="person")
        await p.until(lambda: "new" in p.controller.context.windows)
        go.set()
        asked = ObjectRef("", "ConfigMap", "argocd", "new")
        await p.until(lambda: manifests.OPENED in p.cluster.objects()[asked]["metadata"].get("annotations", {}))
