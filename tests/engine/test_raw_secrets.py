"""Secrets that stand in Git in plain text: refused, told without their values, allowed where a project or a setting says so."""

import base64
import json
from typing import Any

import pytest

from engine.world import PROJECTS, URL, Play, config_map, play
from kilde.core.objects.ref import ObjectRef

pytestmark = pytest.mark.anyio
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
CANARY = "c4nary-value"


def secret(name: str = "db", block: str = "stringData", **data: Any) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, block: data})


async def project(p: Play, name: str, **annotations: str) -> None:
    body: dict[str, Any] = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": "argocd", "annotations": annotations},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }
    await p.cluster.apply(PROJECTS, body, manager="person")


def stored(p: Play, name: str = "db") -> dict[str, Any] | None:
    return p.cluster.objects().get(ObjectRef("", "Secret", "shop", name))


async def test_it_is_refused_and_nothing_else_of_the_commit_is_applied() -> None:
    async with play(raw_secrets=False) as p:
        await p.application(**AUTO)
        await p.commit(a=config_map("a", k="one"))
        await p.until(lambda: p.data("a") == {"k": "one"} and p.sync() == "Synced")
        await p.commit(a=config_map("a", k="two"), s=secret(password=CANARY, user="application"))
        await p.until(p.conditions)
        assert p.conditions() == [
            "ComparisonError: Failed to load target state: failed to generate manifest for source 1 of 1: a Secret stands in Git in "
            "plain text: Secret db (password, user) in app/s.yaml:1 (seal it: kilde seal -f FILE -w FILE; or let project default "
            "allow it: its annotation kilde.dev/raw-secrets: allowed)"
        ]
        await p.quiet()
        assert (stored(p), p.data("a")) == (None, {"k": "one"})
        await p.by_hand("a", k="by hand")  # what was applied last is kept
        await p.until(lambda: p.data("a") == {"k": "one"})
        told = json.dumps([*p.cluster.objects().values()], default=str)
        assert CANARY not in told
        assert base64.b64encode(CANARY.encode()).decode() not in told
        await p.commit(a=config_map("a", k="three"))
        await p.until(lambda: p.data("a") == {"k": "three"} and not p.conditions())


async def test_a_project_that_says_so_has_them_and_one_that_says_so_no_more_has_not() -> None:
    async with play(raw_secrets=False) as p:
        await p.commit(s=secret(password=CANARY))
        await project(p, "team")
        await p.application(project="team", **AUTO)
        await p.until(p.conditions)
        assert "project team" in p.conditions()[0]
        await project(p, "team", **{"kilde.dev/raw-secrets": "allowed"})
        await p.until(lambda: stored(p) is not None)
        await p.until(lambda: p.sync() == "Synced" and not p.conditions())
        await project(p, "team", **{"kilde.dev/raw-secrets": "no"})
        await p.until(p.conditions)
        assert "in plain text" in p.conditions()[0]
        assert stored(p) is not None


async def test_the_setting_allows_them_everywhere() -> None:
    async with play(raw_secrets=True) as p:
        await p.commit(s=secret(password=CANARY))
        await p.application(**AUTO)
        await p.until(lambda: stored(p) is not None)


@pytest.mark.parametrize(
    "harmless",
    [
        json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}}),
        secret(block="data"),
        secret(password="", pin="123"),
        secret(block="data", a="eA==", b=""),
        secret(
            block="data",
            ca=base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").decode(),
        ),
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "db", "annotations": {"kubernetes.io/service-account.name": "ci"}},
                "type": "kubernetes.io/service-account-token",
            }
        ),
    ],
)
async def test_a_secret_that_holds_none_is_applied(harmless: str) -> None:
    async with play(raw_secrets=False) as p:
        await p.commit(s=harmless)
        await p.application(**AUTO)
        await p.until(lambda: stored(p) is not None)


async def test_what_a_generator_makes_and_credentials_of_argo_cd_are_raw_too() -> None:
    async with play(raw_secrets=False) as p:
        generated = b"secretGenerator:\n- name: made\n  literals: [password=c4nary-value]\n"
        p.sources.commit(URL, {"app/kustomization.yaml": generated})
        await p.application(**AUTO)
        await p.until(p.conditions)
        assert "Secret made-" in p.conditions()[0]
        labels = {"argocd.argoproj.io/secret-type": "repository"}
        raw = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "repo", "labels": labels},
            "stringData": {"url": URL},
        }
        await p.commit(s=json.dumps(raw))
        await p.until(lambda: "Secret repo (url)" in "".join(p.conditions()))


async def test_an_operation_that_names_such_a_commit_is_refused() -> None:
    async with play(raw_secrets=False) as p:
        bad = await p.commit(s=secret(password=CANARY), a=config_map("a"))
        await p.commit(a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced")
        await p.patch_application({"operation": {"sync": {"revision": bad}}})
        await p.until(lambda: p.phase() == "Error")
        assert "in plain text" in p.status()["operationState"]["message"]
        assert stored(p) is None
