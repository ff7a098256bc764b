"""The engine as a shadow: it says what it would write, and begins, heals and deletes nothing."""

from functools import partial

import pytest

from engine.world import APPLICATIONS, config_map, play
from kilde.engine.migration.shadow import Book, ShadowReporter, Voice

pytestmark = pytest.mark.anyio
_WRITES = ("apply", "create", "update", "patch", "delete")
AUTOMATED = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}


async def test_a_shadow_writes_nothing_whatever_there_is_to_do() -> None:
    book = Book(Voice())
    async with play(shadow=True, report=partial(ShadowReporter, book=book)) as one:
        await one.commit(a=config_map("a", k="v"), b=config_map("b"))
        await one.application(**AUTOMATED)
        await one.application("leaving", **AUTOMATED)
        finalizers = {"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}
        await one.patch_application(finalizers, "leaving")
        await one.cluster.delete(APPLICATIONS, "argocd", "leaving")
        told = {"sync": {"status": "Synced", "revision": "0"}, "health": {"status": "Healthy"}}
        await one.patch_application({"status": told, "operation": {"sync": {"prune": True}}})
        before = one.cluster.counts()
        apps = one.controller.context.fleet.all
        await one.until(
            lambda: len(apps()) == 2 and book.is_full(apps()) and book.told(apps())[1].compared > 0, "compared"
        )
        await one.quiet()
        after = one.cluster.counts()
    assert {verb: after.get(verb) for verb in _WRITES} == {verb: before.get(verb) for verb in _WRITES}
    leaving, shop = book.told(apps())
    assert leaving.silent == "it is being deleted"
    assert [(field.name, field.theirs, field.ours) for field in shop.differences if field.name != "sync.revision"] == [
        ("sync.status", "Synced", "OutOfSync"),
        ("health.status", "Healthy", "Missing"),
        ("sourceType", "(none)", "Directory"),
        ("resources[ConfigMap shop/a]", "(none)", "listed"),
        ("resources[ConfigMap shop/b]", "(none)", "listed"),
    ]
