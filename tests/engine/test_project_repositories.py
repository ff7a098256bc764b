"""Repositories that a project has credentials of its own for: its applications get in, others do not, though the mirror is one."""

import base64

import pytest

from engine.test_projects import project
from engine.world import URL, Play, config_map, play
from kilde.core.basics.errors import SourceUnavailable
from kilde.core.objects.ref import ObjectRef
from kilde.engine.fleet.applications import SECRETS
from kilde.ports.sources import Credentials
from kilde.testing.sources import FakeSources
from kilde.wiring.controlling import credentials_for

pytestmark = pytest.mark.anyio
AUTO = {"syncPolicy": {"automated": {}}}


class Locked(FakeSources):
    """Its server lets nobody in without the password."""

    async def fetch(self, url: str, credentials: Credentials) -> None:
        if credentials.password != "right":
            raise SourceUnavailable("authentication required", about=url)
        await super().fetch(url, credentials)


async def secret(p: Play, name: str, **values: str) -> None:
    data = {
        key: base64.b64encode(text.encode()).decode() for key, text in {"url": URL, "type": "git", **values}.items()
    }
    labels = {"argocd.argoproj.io/secret-type": "repository"}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "argocd", "labels": labels}}
    await p.cluster.create(SECRETS, {**body, "data": data}, manager="person")


async def test_a_projects_own_repository_is_open_to_its_applications_alone() -> None:
    async with play(git=Locked(), choose=credentials_for) as p:
        await secret(p, "teams", project="team", username="team", password="right")
        p.sources.commit(URL, {"app/a.json": config_map("a").encode(), "app2/b.json": config_map("b").encode()})
        await project(p)
        await p.application(project="team", **AUTO)
        await p.until(lambda: p.data("a") == {"k": "v"})
        source = {"repoURL": URL, "path": "app2", "targetRevision": "HEAD"}
        await p.application("other", source=source, **AUTO)
        await p.until(lambda: p.conditions("other"))
        assert "authentication required" in p.conditions("other")[0]
        assert p.data("b") is None
        assert p.conditions() == []
        await secret(p, "all", username="all", password="right")
        await p.until(lambda: p.data("b") == {"k": "v"})
        await p.until(lambda: not p.conditions("other"))
        fetches = p.sources.fetches(URL)
        p.sources.commit(
            URL, {"app/a.json": config_map("a", k="two").encode(), "app2/b.json": config_map("b").encode()}
        )
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.data("a") == {"k": "two"})
        assert p.sources.fetches(URL) == fetches + 2  # by each of the two


async def test_the_loss_of_its_credentials_is_told_to_the_project_that_lost_them() -> None:
    async with play(git=Locked(), choose=credentials_for) as p:
        await secret(p, "teams", project="team", username="team", password="right")
        await secret(p, "all", username="all", password="right")
        p.sources.commit(URL, {"app/a.json": config_map("a").encode()})
        await project(p)
        await p.application(project="team", **AUTO)
        await p.application("other")
        await p.until(lambda: p.data("a") == {"k": "v"} and p.sync("other") != "")
        wrong = {"data": {"password": base64.b64encode(b"wrong").decode()}}
        await p.cluster.patch(SECRETS, "argocd", "teams", wrong, manager="person")
        await p.patch_application({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})
        await p.until(p.conditions)
        assert "authentication required" in p.conditions()[0]
        assert all("authentication" not in text for text in p.conditions("other"))
        assert ObjectRef("", "ConfigMap", "shop", "a") in p.cluster.objects()
