"""What an operation applied is rendered again from Git and the ledger, and is what it was, digest and all."""

from dataclasses import replace

import pytest

from engine.test_any_namespace import guest, namespaces, sync
from engine.world import config_map, play
from kilde.core.basics.moment import parse
from kilde.core.ledger.answers import running_at
from kilde.core.ledger.operation import operations
from kilde.engine.records.rebuild import rebuild

pytestmark = pytest.mark.anyio
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
KUSTOMIZED = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml, role.yaml]\n"
ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\nrules: []\n"


async def test_every_deployment_is_rebuilt_exactly_as_it_was() -> None:
    async with play() as p:
        first = await p.commit(a=config_map("a", k="1"), kustomization=KUSTOMIZED, role=ROLE)
        source = {"repoURL": "https://git.example/shop.git", "path": "app", "kustomize": {"namePrefix": "x-"}}
        await p.application(**AUTO, source=source)
        await p.until(lambda: p.phase() == "Succeeded" and p.data("x-a") == {"k": "1"})
        second = await p.commit(a=config_map("a", k="2"), kustomization=KUSTOMIZED, role=ROLE)
        await p.until(lambda: p.data("x-a") == {"k": "2"} and p.sync() == "Synced" and not p.records.open_operations())

        found = [view for view in operations(p.records.read(), p.records.people()) if view.revision]
        made = [await rebuild(p.sources, view) for view in found]

        assert [(view.revision["sha"], one.problem) for view, one in zip(found, made, strict=True)] == [
            (first, ""),
            (second, ""),
        ]
        assert [[body["data"]["k"] for body in one.objects if "data" in body] for one in made] == [["1"], ["2"]]
        assert made[0].digest == found[0].rendered_digest
        begin, end = parse(found[0].closed_at), parse(found[1].closed_at)
        assert begin is not None
        assert end is not None
        assert running_at(found, begin - 1) == []
        assert [one.commit for one, _ in running_at(found, (begin + end) / 2)] == [first]
        assert [one.commit for one, _ in running_at(found, end, "https://kubernetes.default.svc")] == [second]
        assert running_at(found, end, "https://elsewhere") == []


async def test_one_of_another_namespace_is_rebuilt_too() -> None:
    async with play(application_namespaces="team-*") as p:
        await namespaces(p, "team-a")
        await p.guests_of_teams("team-*")
        await p.commit(a=config_map("a", k="1"))
        await guest(p, "team-a")
        await p.until(lambda: sync(p, "team-a") == "Synced" and not p.records.open_operations())
        views = [view for view in operations(p.records.read(), p.records.people()) if view.revision]
        made = [await rebuild(p.sources, view) for view in views]
        assert [(view.application, one.problem) for view, one in zip(views, made, strict=True)] == [("team-a/shop", "")]
        assert [one.digest for one in made] == [view.rendered_digest for view in views]


async def test_what_cannot_be_rebuilt_is_told() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.phase() == "Succeeded")
        view = next(view for view in operations(p.records.read()) if view.revision)

        old = await rebuild(p.sources, replace(view, rendering={}))
        patched = await rebuild(p.sources, replace(view, rendering={**view.rendering, "patched": True}))
        gone = await rebuild(p.sources, replace(view, revision={"sha": "0" * 40}))
        other = await rebuild(p.sources, replace(view, rendered_digest="0" * 64))

        assert old.problem == "an older version wrote this record: it does not say how the source was rendered"
        assert patched.problem == "the Application had patches of its own, which the ledger does not keep"
        assert "0000000" in gone.problem
        assert other.problem == "these are not the manifests of then: their digest differs"
