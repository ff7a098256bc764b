"""A project that demands signatures: what is not signed by its signers is held, never applied, and the condition says why."""

import json
from typing import Any

import pytest

from engine.world import PROJECTS, URL, Play, config_map, play
from kilde.core.ledger.operation import operations

pytestmark = pytest.mark.anyio
AUTO: dict[str, Any] = {"project": "shop", "syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
EVERYTHING = {
    "sourceRepos": ["*"],
    "destinations": [{"server": "*", "namespace": "*"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
}


async def project(p: Play, annotations: dict[str, str] | None = None, **spec: Any) -> None:
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "shop", "namespace": "argocd", "annotations": annotations or {}},
        "spec": {**EVERYTHING, **spec},
    }
    await p.cluster.apply(PROJECTS, body, manager="person")


async def push(p: Play, signer: str, **files: str) -> str:
    sha = p.sources.commit(URL, {f"app/{name}.yaml": text.encode() for name, text in files.items()}, signer=signer)
    await p.controller.push(frozenset([URL]))
    return sha


async def test_only_what_the_projects_signers_signed_is_deployed() -> None:
    async with play() as p:
        await project(p, {"kilde.dev/allowed-signers": "ann ssh-ed25519 AAAA"})
        await push(p, "ann", a=config_map("a", k="1"))
        await p.application(**AUTO)
        await p.until(lambda: p.data("a") == {"k": "1"} and p.phase() == "Succeeded")

        unsigned = await push(p, "", a=config_map("a", k="2"))
        await p.until(lambda: any(f"{unsigned} in Git is not signed" in one for one in p.conditions()))
        unknown = await push(p, "eve", a=config_map("a", k="3"))
        await p.until(lambda: any(f"{unknown} in Git is signed with key SHA256:eve" in one for one in p.conditions()))
        await p.by_hand("a", k="by hand")
        await p.until(lambda: p.data("a") == {"k": "1"}, "the last signed commit is kept up")
        assert p.sync() == "Unknown"

        good = await push(p, "ann", a=config_map("a", k="4"))
        await p.until(lambda: p.data("a") == {"k": "4"} and p.sync() == "Synced")
        assert p.conditions() == []
        await p.until(lambda: not p.records.open_operations())
        done = [one for one in operations(p.records.read(), p.records.people()) if one.revision]
        assert [one.revision["sha"] for one in done if one.revision["sha"] in (unsigned, unknown)] == []
        assert (done[-1].revision["sha"], done[-1].revision["signature"]) == (good, "G")
        assert done[-1].revision["signer"] == "ann SHA256:ann"


async def test_a_manual_sync_to_an_unsigned_commit_is_refused() -> None:
    async with play() as p:
        await project(p, {"kilde.dev/allowed-signers": "ann"})
        unsigned = await push(p, "", a=config_map("a", k="0"))
        await push(p, "ann", a=config_map("a", k="1"))
        await p.application(project="shop")
        await p.until(lambda: p.sync() == "OutOfSync")

        await p.patch_application({"operation": {"sync": {"revision": unsigned}}})
        await p.until(lambda: p.phase() == "Error")

        assert "is not signed, but a signature is required" in json.dumps(p.status()["operationState"])
        assert p.data("a") is None


async def test_a_commit_that_does_not_concern_an_application_is_checked_as_well() -> None:
    async with play() as p:
        await project(p, {"kilde.dev/allowed-signers": "ann"})
        first = await push(p, "ann", a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.phase() == "Succeeded" and p.sync() == "Synced")
        p.sources.commit(URL, {"app/a.yaml": config_map("a").encode(), "other": b"x"})
        await p.controller.push(frozenset([URL]))

        await p.until(lambda: any("is not signed" in one for one in p.conditions()))
        done = [one.revision["sha"] for one in operations(p.records.read()) if one.revision]
        assert done == [first]


async def test_signers_in_the_repository_are_those_of_the_revision_that_the_project_names() -> None:
    """Eve's own commit may name her as a signer: it is not asked."""
    async with play() as p:
        p.sources.commit(URL, {"signers": b"ann"}, branch="trusted")
        await project(p, {"kilde.dev/allowed-signers-from": "trusted:signers"})
        sha = p.sources.commit(URL, {"signers": b"ann eve", "app/a.yaml": config_map("a").encode()}, signer="eve")
        await p.application(**AUTO)
        await p.until(lambda: any(f"{sha} in Git is signed with key SHA256:eve" in one for one in p.conditions()))
        assert p.data("a") is None

        await push(p, "ann", a=config_map("a"))
        await p.until(lambda: p.data("a") is not None)


def integrity(mode: str, repository: str = "*") -> dict[str, Any]:
    gpg = {"mode": mode, "keys": ["4AEE18F83AFDEB23"]}
    return {"sourceIntegrity": {"git": {"policies": [{"repos": [{"url": repository}], "gpg": gpg}]}}}


UNSIGNED = "is not signed, but a signature is required"


@pytest.mark.parametrize(
    ("spec", "annotations", "condition"),
    [
        ({"signatureKeys": [{"keyID": "4AEE18F83AFDEB23"}]}, {}, UNSIGNED),
        (integrity("head"), {}, UNSIGNED),
        (integrity("strict"), {}, "sourceIntegrity mode strict, which is not supported"),
        ({}, {"kilde.dev/allowed-signers-from": "nonsense"}, "its allowed signers cannot be found"),
        ({}, {"kilde.dev/allowed-signers-from": "main:nowhere"}, "nowhere"),
    ],
)
async def test_whatever_the_demand_nothing_unsigned_is_applied(
    spec: dict[str, Any], annotations: dict[str, str], condition: str
) -> None:
    async with play() as p:
        await project(p, annotations, **spec)
        await push(p, "", a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: any(condition in one for one in p.conditions()))
        assert p.data("a") is None


async def test_a_demand_for_another_repository_is_none_for_this_one() -> None:
    async with play() as p:
        await project(p, None, **integrity("head", "https://elsewhere/*"))
        await push(p, "", a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.data("a") is not None)
