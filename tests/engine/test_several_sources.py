"""Applications of several sources: objects of all, statuses with lists, and each source rendered only when it has to be."""

from typing import Any

import pytest

from engine.test_projects import project
from engine.world import URL, Play, config_map, play

pytestmark = pytest.mark.anyio
OTHER = "https://git.example/other.git"
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
SOURCES = [{"repoURL": URL, "path": "app"}, {"repoURL": OTHER, "path": "two"}, {"repoURL": OTHER, "ref": "vals"}]


async def both(p: Play, **spec: Any) -> tuple[str, str]:
    """One application of two repositories, in step; gives their commits."""
    p.sources.create(OTHER)
    one = p.sources.commit(URL, {"app/a.yaml": config_map("a", k="one").encode()})
    two = p.sources.commit(OTHER, {"two/b.yaml": config_map("b", k="one").encode()})
    await p.application(**{"source": None, "sources": SOURCES, **AUTO, **spec})
    await p.until(lambda: (p.sync(), p.phase()) == ("Synced", "Succeeded"))
    return one, two


async def test_the_status_has_lists_as_argo_cds_has() -> None:
    async with play() as p:
        one, two = await both(p)
        assert (p.data("a"), p.data("b")) == ({"k": "one"}, {"k": "one"})
        status = p.status()
        told = {"source": {"repoURL": ""}, "sources": SOURCES}
        revisions = {"revisions": [one, two, two]}
        assert status["sync"] == {
            "status": "Synced",
            **revisions,
            "comparedTo": {
                **told,
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            },
        }
        assert status["sourceTypes"] == ["Directory", "Directory", ""]
        assert "sourceType" not in status
        [entry] = status["history"]
        assert {key: entry[key] for key in (*told, *revisions)} == {**told, **revisions}
        assert "revision" not in entry
        state = status["operationState"]
        assert state["operation"]["sync"] == {**revisions, "sources": SOURCES, "prune": True}
        result = state["syncResult"]
        assert {key: result[key] for key in (*told, *revisions, "revision")} == {**told, **revisions, "revision": ""}


async def test_a_commit_to_one_repository_renders_its_source_alone() -> None:
    async with play() as p:
        one, _ = await both(p)
        renders = p.controller.context.renderer.renders
        two = p.sources.commit(OTHER, {"two/b.yaml": config_map("b", k="two").encode()})
        await p.controller.push(frozenset([OTHER]))
        await p.until(lambda: p.data("b") == {"k": "two"})
        await p.until(lambda: p.status()["sync"]["revisions"] == [one, two, two])
        assert p.data("a") == {"k": "one"}
        assert p.controller.context.renderer.renders == renders + 1


async def test_a_commit_that_none_of_its_sources_reads_costs_one_small_write() -> None:
    async with play() as p:
        one, _ = await both(p)
        await p.quiet()
        before, ctx = dict(p.cluster.counts()), p.controller.context
        status, renders = p.status(), ctx.renderer.renders
        files = {"two/b.yaml": config_map("b", k="one").encode(), "README.md": b"for people"}
        two = p.sources.commit(OTHER, files)
        await p.controller.push(frozenset([OTHER]))
        await p.until(lambda: p.status()["sync"]["revisions"] == [one, two, two])
        await p.quiet()
        spent = {verb: n - before.get(verb, 0) for verb, n in p.cluster.counts().items() if n != before.get(verb, 0)}
        assert spent == {"patch": 1}
        assert ctx.renderer.renders == renders
        sync = {**status["sync"], "revisions": [one, two, two]}
        assert p.status() == {**status, "sync": sync, "reconciledAt": p.status()["reconciledAt"]}
        await p.by_hand("a", k="by hand")  # and it heals on, by one apply
        await p.until(lambda: p.data("a") == {"k": "one"})


async def test_of_two_sources_with_the_same_object_the_later_counts() -> None:
    async with play() as p:
        p.sources.create(OTHER)
        p.sources.commit(URL, {"app/a.yaml": config_map("a", k="one").encode()})
        p.sources.commit(OTHER, {"two/a.yaml": config_map("a", k="two").encode()})
        await p.application(source=None, sources=SOURCES, **AUTO)
        await p.until(lambda: p.data("a") == {"k": "two"})
        text = "RepeatedResourceWarning: Resource /ConfigMap/shop/a appeared 2 times among application resources."
        await p.until(lambda: p.conditions() == [text])


async def test_the_source_that_cannot_be_rendered_is_named_and_nothing_is_pruned() -> None:
    async with play() as p:
        await both(p)
        p.sources.commit(OTHER, {"elsewhere/b.yaml": config_map("b").encode()})
        await p.controller.push(frozenset([OTHER]))
        await p.until(lambda: p.sync() == "Unknown")
        told = "Failed to load target state: failed to generate manifest for source 2 of 3: "
        assert p.conditions() == [
            f"ComparisonError: {told}rpc error: code = Unknown desc = two: app path does not exist"
        ]
        assert "revisions" not in p.status()["sync"]  # Argo CD tells none
        assert p.data("b") == {"k": "one"}


async def test_an_operation_may_name_a_revision_for_each_source() -> None:
    async with play() as p:
        one, two = await both(p)
        p.sources.commit(URL, {"app/a.yaml": config_map("a", k="two").encode()})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.data("a") == {"k": "two"})
        await p.patch_application({"spec": {"syncPolicy": None}})
        await p.patch_application({"operation": {"sync": {"revisions": [one, two, two], "sources": SOURCES}}})
        await p.until(lambda: p.data("a") == {"k": "one"})
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.until(lambda: p.status()["operationState"]["syncResult"]["revisions"] == [one, two, two])
        assert p.status()["history"][-1]["revisions"] == [one, two, two]


async def test_every_source_has_to_be_allowed_by_the_project_those_of_an_operation_too() -> None:
    async with play() as p:
        p.sources.create(OTHER)
        p.sources.commit(OTHER, {"two/a.yaml": config_map("a").encode()})
        await p.commit(a=config_map("a"))
        await project(p, sourceRepos=[URL])
        await p.application(source=None, sources=SOURCES, project="team", **AUTO)
        await p.until(p.conditions)
        refused = f"application repo {OTHER} is not permitted in project 'team'"
        assert p.conditions() == [f"InvalidSpecError: {refused}"]
        await p.application("good", project="team")
        await p.until(lambda: p.sync("good") == "OutOfSync")
        operation = {"sync": {"source": {"repoURL": OTHER, "path": "two"}}}
        await p.patch_application({"operation": operation}, "good")
        await p.until(lambda: p.phase("good") == "Error")
        assert p.status("good")["operationState"]["message"] == refused
        assert p.data("a") is None


async def test_a_chart_is_rendered_anew_when_a_values_file_of_the_other_repository_changes_and_only_then(
    real_programs: None,
) -> None:
    from build_real import where

    from kilde.adapters.programs.helm_template import HelmTemplate

    chart = {
        "chart/Chart.yaml": b"apiVersion: v2\nname: shop\nversion: 1.2.3\n",
        "chart/templates/cm.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: {{ .Values.k }}}\n",
    }
    sources = [
        {"repoURL": URL, "path": "chart", "helm": {"valueFiles": ["$vals/envs/test.yaml"]}},
        {"repoURL": OTHER, "ref": "vals"},
    ]
    async with play(helm=HelmTemplate(str(where("helm")))) as p:
        p.sources.create(OTHER)
        one = p.sources.commit(URL, chart)
        p.sources.commit(OTHER, {"envs/test.yaml": b"k: one\n"})
        await p.application(source=None, sources=sources, **AUTO)
        await p.until(lambda: p.data("a") == {"k": "one"})
        await p.until(lambda: p.status().get("sourceTypes") == ["Helm", ""])
        renders = p.controller.context.renderer.renders
        two = p.sources.commit(OTHER, {"envs/test.yaml": b"k: one\n", "envs/prod.yaml": b"k: two\n"})
        await p.controller.push(frozenset([OTHER]))
        await p.until(lambda: p.status()["sync"]["revisions"] == [one, two])
        assert p.controller.context.renderer.renders == renders
        p.sources.commit(OTHER, {"envs/test.yaml": b"k: three\n"})
        await p.controller.push(frozenset([OTHER]))
        await p.until(lambda: p.data("a") == {"k": "three"})
        assert p.controller.context.renderer.renders == renders + 1


async def test_a_range_is_resolved_among_the_tags_with_the_prefix() -> None:
    async with play() as p:
        for version, prefix in (("1.0.0", "a/"), ("1.4.0", "b/"), ("1.1.0", "a/")):
            sha = p.sources.commit(URL, {"app/a.yaml": config_map("a", k=f"{prefix}{version}").encode()})
            p.sources.point(URL, f"refs/tags/{prefix}{version}", sha)
        source = {"repoURL": URL, "path": "app", "targetRevision": "1.*", "tagPrefix": "a/"}
        await p.application(source=source, **AUTO)
        await p.until(lambda: p.data("a") == {"k": "a/1.1.0"})
        sha = p.sources.commit(URL, {"app/a.yaml": config_map("a", k="a/1.2.0").encode()})
        p.sources.point(URL, "refs/tags/a/1.2.0", sha)
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.data("a") == {"k": "a/1.2.0"})
