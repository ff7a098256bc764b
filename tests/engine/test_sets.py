"""ApplicationSets, the whole engine against fakes: what comes, changes, goes and stays, and that nothing is written in peace."""

import json
from typing import Any

import pytest

from engine.world import CONFIG_MAPS, URL, Play, config_map, play
from kilde.core.objects.ref import ObjectRef
from kilde.crds import definitions
from kilde.engine.fleet.applications import SECRETS
from kilde.engine.sets.store import SETS
from kilde.ports.cluster import Resource
from kilde.web.api import PushVerdict
from kilde.web.face import Face

pytestmark = pytest.mark.anyio
DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
SERVER = "https://kubernetes.default.svc"


def elements(*names: str) -> list[Any]:
    return [{"list": {"elements": [{"name": name} for name in names]}}]


def template(**more: Any) -> dict[str, Any]:
    spec = {
        "project": "default",
        "source": {"repoURL": URL, "path": "app", "targetRevision": "HEAD"},
        "destination": {"server": SERVER, "namespace": "shop"},
    }
    return {"metadata": {"name": "{{name}}", "labels": {"app": "{{name}}"}}, "spec": {**spec, **more}}


async def make(
    p: Play, generators: list[Any], name: str = "all", meta: dict[str, Any] | None = None, **spec: Any
) -> None:
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": name, "namespace": "argocd", **(meta or {})},
        "spec": {"generators": generators, "template": template(), **spec},
    }
    await p.cluster.create(SETS, body, manager="person")


async def change(p: Play, patch: dict[str, Any], name: str = "all") -> None:
    await p.cluster.patch(SETS, "argocd", name, patch, manager="person")


def the_set(p: Play, name: str = "all") -> dict[str, Any]:
    return p.cluster.objects()[ObjectRef("argoproj.io", "ApplicationSet", "argocd", name)]


def status(p: Play, name: str = "all") -> dict[str, Any]:
    return the_set(p, name).get("status") or {}


def said(p: Play, kind: str, name: str = "all") -> dict[str, str]:
    found = [each for each in status(p, name).get("conditions") or () if each["type"] == kind]
    return found[0] if found else {}


def apps(p: Play) -> dict[str, dict[str, Any]]:
    return {ref.name: body for ref, body in p.cluster.objects().items() if ref.kind == "Application"}


def well(p: Play, name: str = "all") -> bool:
    return said(p, "ResourcesUpToDate", name).get("status") == "True"


async def test_a_set_makes_its_applications_and_says_so_in_argo_cds_words() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await make(p, elements("one", "two"))
        await p.until(lambda: len(apps(p)) == 2 and well(p))
        body = apps(p)["one"]
        meta = body["metadata"]
        assert (meta["labels"], meta["finalizers"]) == ({"app": "one"}, ["resources-finalizer.argocd.argoproj.io"])
        assert meta["ownerReferences"] == [
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "ApplicationSet",
                "name": "all",
                "uid": the_set(p)["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        assert body["spec"] == template()["spec"]
        words = "All applications have been generated successfully"
        told = [(c["type"], c["status"], c["reason"], c["message"]) for c in status(p)["conditions"]]
        assert told == [
            ("ErrorOccurred", "False", "ApplicationSetUpToDate", words),
            (
                "ParametersGenerated",
                "True",
                "ParametersGenerated",
                "Successfully generated parameters for all Applications",
            ),
            ("ResourcesUpToDate", "True", "ApplicationSetUpToDate", words),
        ]
        await p.until(lambda: [r.get("status") for r in status(p)["resources"]] == ["OutOfSync", "OutOfSync"])
        assert (status(p)["resourcesCount"], status(p)["health"]["status"]) == (2, "Healthy")
        assert 'created: created Application "one"' in p.events()


async def test_in_peace_nothing_is_written() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await make(p, elements("one", "two"))
        await p.until(lambda: [r.get("status") for r in status(p).get("resources", ())] == ["OutOfSync", "OutOfSync"])
        await p.quiet(1.5)
        before = dict(p.cluster.counts())
        p.controller.sets.project_changed()  # a pass over every set
        await p.quiet(1.5)
        assert dict(p.cluster.counts()) == before


async def test_what_somebody_changes_is_put_back_but_not_what_is_preserved() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        kept = {"preservedFields": {"annotations": ["keep"], "labels": ["team"]}}
        await make(p, elements("one"), **kept)
        await p.until(lambda: well(p))
        edit = {
            "metadata": {
                "annotations": {"keep": "1", "lose": "1", "argocd.argoproj.io/refresh": "normal"},
                "labels": {"team": "x", "y": "z"},
            },
            "spec": {"source": {"targetRevision": "other"}},
        }
        await p.patch_application(edit, "one")
        await p.until(lambda: "lose" not in apps(p)["one"]["metadata"].get("annotations", {}))
        body = apps(p)["one"]
        assert body["metadata"]["labels"] == {"app": "one", "team": "x"}
        assert body["metadata"]["annotations"]["keep"] == "1"
        assert body["spec"] == template()["spec"]


async def test_ignored_fields_are_left_to_others() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        rule = {"jsonPointers": ["/spec/source/repoURL"], "jqPathExpressions": [".spec.source.targetRevision"]}
        await make(p, elements("one"), ignoreApplicationDifferences=[rule])
        await p.until(lambda: well(p))
        await p.patch_application({"spec": {"source": {"targetRevision": "other", "path": "elsewhere"}}}, "one")
        await p.until(lambda: apps(p)["one"]["spec"]["source"]["path"] == "app")
        assert apps(p)["one"]["spec"]["source"]["targetRevision"] == "other"


async def test_what_a_set_does_not_want_any_more_goes_unless_the_policy_forbids_it() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await make(p, elements("one", "two"))
        await make(p, elements("three", "four"), "careful", syncPolicy={"applicationsSync": "create-update"})
        await p.until(lambda: len(apps(p)) == 4)
        for name, left in (("all", "one"), ("careful", "three")):
            await change(p, {"spec": {"generators": elements(left)}}, name)
        await p.until(lambda: "two" not in apps(p))
        assert 'Deleted: Deleted Application "two"' in p.events()
        await p.quiet(1.0)
        assert sorted(apps(p)) == ["four", "one", "three"]


async def test_a_field_that_applications_do_not_have_is_left_out() -> None:
    async with play() as p:
        await p.cluster.create(DEFINITIONS, definitions()[0], manager="person")
        await p.commit(a=config_map("a"))
        patch = "spec: {nonsense: true, info: [{name: a, value: b, more: c}]}"
        await make(p, elements("one"), templatePatch=patch)
        await p.until(lambda: well(p))
        assert apps(p)["one"]["spec"] == {**template()["spec"], "info": [{"name": "a", "value": "b"}]}


async def test_with_create_only_nothing_is_changed() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await make(p, elements("one"), syncPolicy={"applicationsSync": "create-only"})
        await p.until(lambda: well(p))
        await change(
            p, {"spec": {"template": {"metadata": {"labels": {"new": "x"}}}, "generators": elements("one", "two")}}
        )
        await p.until(lambda: "two" in apps(p))
        assert "new" not in apps(p)["one"]["metadata"]["labels"]
        assert apps(p)["two"]["metadata"]["labels"]["new"] == "x"


async def test_a_generator_that_gives_nothing_deletes_nothing_until_a_person_says_so() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await make(p, elements("one", "two"))
        await p.until(lambda: well(p))
        await change(p, {"spec": {"generators": elements()}})
        await p.until(lambda: said(p, "ErrorOccurred").get("status") == "True")
        assert said(p, "ErrorOccurred")["message"] == (
            "generators[0].list gives nothing: 2 Applications are kept (one, two); "
            'if that is meant, set the annotation kilde.dev/allow-empty: "true" on the ApplicationSet'
        )
        assert sorted(apps(p)) == ["one", "two"]
        await change(p, {"metadata": {"annotations": {"kilde.dev/allow-empty": "true"}}})
        await p.until(lambda: not apps(p) and well(p))


async def test_a_generator_that_fails_deletes_nothing_and_the_set_heals_when_it_is_back() -> None:
    async with play(poll=0.3) as p:
        p.sources.commit(URL, {"app/a.yaml": config_map("a").encode(), "teams/x/k": b"", "teams/y/k": b""})
        git = [
            {
                "git": {
                    "repoURL": URL,
                    "revision": "HEAD",
                    "directories": [{"path": "teams/*"}],
                    "requeueAfterSeconds": 1,
                }
            }
        ]
        named = {**template(), "metadata": {"name": "{{path.basename}}"}}
        await make(p, git, template=named)
        await p.until(lambda: sorted(apps(p)) == ["x", "y"] and well(p))
        p.sources.take_down(URL)
        await change(p, {"spec": {"generators": [{"git": {**git[0]["git"], "values": {"a": "b"}}}]}})
        await p.until(lambda: said(p, "ErrorOccurred").get("status") == "True")
        assert "the server is away" in said(p, "ErrorOccurred")["message"]
        assert said(p, "ErrorOccurred")["reason"] == "ApplicationGenerationFromParamsError"
        assert said(p, "ParametersGenerated")["status"] == "False"
        assert sorted(apps(p)) == ["x", "y"]
        p.sources.bring_up(URL)
        p.sources.commit(URL, {"app/a.yaml": config_map("a").encode(), "teams/y/k": b"", "teams/z/k": b""})
        await p.until(lambda: sorted(apps(p)) == ["y", "z"] and well(p))


async def test_a_push_makes_the_applications_of_new_folders() -> None:
    async with play() as p:
        p.sources.commit(URL, {"teams/x/k": b""})
        git = [{"git": {"repoURL": URL, "revision": "HEAD", "files": [{"path": "teams/*/k"}]}}]
        await make(p, git, template={**template(), "metadata": {"name": "{{path.basename}}"}})
        await p.until(lambda: sorted(apps(p)) == ["x"])
        made = p.controller.sets.passes.runtime("all").generations
        p.sources.commit(URL, {"teams/x/k": b"", "teams/new/k": b"a: b"})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: sorted(apps(p)) == ["new", "x"] and well(p))
        assert p.controller.sets.passes.runtime("all").generations == made + 1


async def test_two_sets_do_not_take_an_application_from_each_other() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await make(p, elements("one"))
        await p.until(lambda: well(p))
        await make(p, elements("one", "two"), "rival")
        await p.until(lambda: said(p, "ErrorOccurred", "rival").get("status") == "True")
        assert said(p, "ErrorOccurred", "rival")["message"] == (
            "Object argocd/one is already owned by another ApplicationSet controller all"
        )
        assert said(p, "ErrorOccurred", "rival")["reason"] == "UpdateApplicationError"
        assert sorted(apps(p)) == ["one", "two"]
        assert apps(p)["one"]["metadata"]["ownerReferences"][0]["name"] == "all"


async def test_an_invalid_application_is_told_and_the_others_go_on() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        generators = [
            {"list": {"elements": [{"name": "bad", "project": "none"}, {"name": "good", "project": "default"}]}}
        ]
        await make(p, generators, template=template(project="{{project}}"))
        await p.until(lambda: said(p, "ErrorOccurred").get("status") == "True")
        assert said(p, "ErrorOccurred")["message"] == "application references project none which does not exist"
        assert said(p, "ErrorOccurred")["reason"] == "ApplicationValidationError"
        assert sorted(apps(p)) == ["good"]


async def test_what_cannot_be_is_told_in_argo_cds_words_and_a_set_that_makes_nothing_lists_nothing() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        both = {"server": SERVER, "name": "in-cluster", "namespace": "shop"}
        await make(p, elements("one"), template=template(destination=both))
        await make(p, [{"plugin": {"configMapRef": {"name": "none"}}}], name="plugin")
        await make(p, [{"clusterDecisionResource": {"configMapRef": "none", "name": "x"}}], name="decisions")
        names = ("all", "plugin", "decisions")
        await p.until(lambda: all(said(p, "ErrorOccurred", name).get("status") == "True" for name in names))
        told = [said(p, "ErrorOccurred", name)["message"] for name in names]
        begin = (
            "application destination spec is invalid: application destination can't have both name and server defined"
        )
        assert told[0].startswith(begin)
        missing = 'ConfigMap "none" not found'
        assert told[1:] == [
            f"error getting plugin from generator: error fetching ConfigMap: {missing}",
            f"error reading configMapRef: {missing}",
        ]
        assert [{"resources", "resourcesCount"} & set(status(p, name)) for name in names] == [set()] * 3


async def test_a_new_cluster_secret_makes_an_application_and_shows_nothing_secret() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        clusters = [{"clusters": {"selector": {"matchLabels": {"env": "prod"}}}}]
        named = {**template(destination={"server": SERVER, "namespace": "{{metadata.labels.env}}"})}
        await make(p, clusters, template={**named, "metadata": {"name": "{{nameNormalized}}"}})
        await p.until(lambda: well(p))
        labels = {"argocd.argoproj.io/secret-type": "cluster", "env": "prod"}
        data = {"name": "RWFzdF9PbmU=", "server": "aHR0cHM6Ly9l", "config": "c2VjcmV0LWNhbmFyeQ=="}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "east", "namespace": "argocd", "labels": labels},
            "data": data,
        }
        await p.cluster.create(SECRETS, body, manager="person")
        await p.until(lambda: sorted(apps(p)) == ["east-one"])
        assert apps(p)["east-one"]["spec"]["destination"]["namespace"] == "prod"
        assert "canary" not in json.dumps(apps(p)) + repr(p.controller.sets.store.all())


async def test_pull_requests_come_and_go_and_the_token_is_told_to_the_forge_alone() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        token = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "forge", "namespace": "argocd"},
            "data": {"token": "Y2FuYXJ5LTE="},
        }
        await p.cluster.create(SECRETS, token, manager="person")
        url = "https://forge.example/api/v3/repos/acme/shop/pulls?per_page=100"
        pull = {
            "title": "t",
            "head": {"ref": "feat/A_b", "sha": "0123456789"},
            "base": {"ref": "main"},
            "user": {"login": "ann"},
        }
        p.web.answers(url, [{**pull, "number": 7, "labels": [{"name": "preview"}]}, {**pull, "number": 8}])
        block = {
            "owner": "acme",
            "repo": "shop",
            "api": "https://forge.example",
            "labels": ["preview"],
            "tokenRef": {"secretName": "forge", "key": "token"},
        }
        named = {
            **template(),
            "metadata": {"name": "pr-{{number}}-{{branch_slug}}", "labels": {"sha": "{{head_short_sha_7}}"}},
        }
        await make(p, [{"pullRequest": {"github": block}}], template=named)
        await p.until(lambda: sorted(apps(p)) == ["pr-7-feat-a-b"])
        assert apps(p)["pr-7-feat-a-b"]["metadata"]["labels"] == {"sha": "0123456"}
        assert p.web.asked[0].headers["Authorization"] == "Bearer canary-1"
        assert "canary" not in repr(p.web.asked) + json.dumps(status(p))
        p.web.answers(url, [{**pull, "number": 9, "labels": [{"name": "preview"}]}])
        assert p.controller.sets.pull_request_told("github") == ["all"]
        await p.until(lambda: sorted(apps(p)) == ["pr-9-feat-a-b"])
        p.web.down = "the forge is away"
        p.controller.sets.pull_request_told("github")
        await p.until(lambda: "the forge is away" in said(p, "ErrorOccurred").get("message", ""))
        assert sorted(apps(p)) == ["pr-9-feat-a-b"]


async def test_a_deleted_set_that_may_not_delete_lets_its_applications_go() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        meta = {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}
        await make(p, elements("one"), meta=meta, syncPolicy={"applicationsSync": "create-only"})
        await p.until(lambda: well(p))
        await p.cluster.delete(SETS, "argocd", "all")
        await p.until(lambda: ObjectRef("argoproj.io", "ApplicationSet", "argocd", "all") not in p.cluster.objects())
        assert not apps(p)["one"]["metadata"].get("ownerReferences")


async def test_refresh_is_served_and_taken_away() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await make(p, elements("one"))
        await p.until(lambda: well(p))
        made = p.controller.sets.passes.runtime("all").generations
        await change(p, {"metadata": {"annotations": {"argocd.argoproj.io/application-set-refresh": "true"}}})
        await p.until(lambda: not the_set(p)["metadata"].get("annotations"))
        assert p.controller.sets.passes.runtime("all").generations == made + 1


async def test_a_generator_is_asked_again_when_its_time_has_come() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        pulls = {"github": {"owner": "o", "repo": "r"}, "continueOnRepoNotFoundError": True, "requeueAfterSeconds": 1}
        await make(p, [{"pullRequest": pulls}])
        await p.until(lambda: len(p.web.asked) >= 3)


def delivery(event: str, body: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    return {"content-type": "application/json", "x-github-event": event}, json.dumps(body).encode()


async def test_webhooks_reach_the_sets_that_read_what_moved() -> None:
    async with play() as p:
        p.sources.commit(URL, {"teams/x/k": b""})
        git = [{"git": {"repoURL": URL, "revision": "HEAD", "directories": [{"path": "teams/*"}]}}]
        await make(p, git, template={**template(), "metadata": {"name": "{{path.basename}}"}})
        await make(
            p,
            [{"pullRequest": {"github": {"owner": "o", "repo": "r"}, "continueOnRepoNotFoundError": True}}],
            "previews",
        )
        await p.until(lambda: sorted(apps(p)) == ["x"] and well(p, "previews"))
        face = Face(p.controller)
        p.sources.commit(URL, {"teams/x/k": b"", "teams/y/k": b""})
        told = await face.on_push(*delivery("push", {"ref": "refs/heads/main", "repository": {"clone_url": URL}}))
        assert (told.verdict, told.applications) == (PushVerdict.ACCEPTED, ("x", "applicationset/all"))
        await p.until(lambda: sorted(apps(p)) == ["x", "y"])
        asked = len(p.web.asked)
        told = await face.on_push(*delivery("pull_request", {"action": "opened"}))
        assert told.applications == ("applicationset/previews",)
        await p.until(lambda: len(p.web.asked) > asked)


def rolling(*steps: tuple[str, Any]) -> dict[str, Any]:
    made = [
        {
            "matchExpressions": [{"key": "env", "operator": "In", "values": [env]}],
            **({} if most is None else {"maxUpdate": most}),
        }
        for env, most in steps
    ]
    return {"type": "RollingSync", "rollingSync": {"steps": made}}


async def test_a_rolling_set_syncs_step_by_step() -> None:
    async with play() as p:
        p.sources.commit(URL, {f"{name}/a.yaml": config_map(name).encode() for name in ("d1", "p1", "p2")})
        found = [{"name": "d1", "env": "dev"}, {"name": "p1", "env": "prod"}, {"name": "p2", "env": "prod"}]
        automated = {"syncPolicy": {"automated": {"prune": True}}}
        labelled = {
            **template(**automated, source={"repoURL": URL, "path": "{{name}}"}),
            "metadata": {"name": "{{name}}", "labels": {"env": "{{env}}"}},
        }
        await make(p, [{"list": {"elements": found}}], template=labelled, strategy=rolling(("dev", None), ("prod", 1)))
        order: list[str] = []

        def done() -> bool:
            for name in ("d1", "p1", "p2"):
                if p.sync(name) == "Synced" and p.phase(name) == "Succeeded" and name not in order:
                    order.append(name)
            return said(p, "RolloutProgressing").get("status") == "False" and len(order) == 3

        await p.until(done, "the rollout ends")
        assert order[0] == "d1"
        assert [(each["application"], each["status"], each["step"]) for each in status(p)["applicationStatus"]] == [
            ("d1", "Healthy", "1"),
            ("p1", "Healthy", "2"),
            ("p2", "Healthy", "2"),
        ]
        assert apps(p)["p1"]["spec"]["syncPolicy"]["automated"]["enabled"] is False
        assert said(p, "RolloutProgressing")["message"] == "ApplicationSet Rollout has completed"
        assert p.status("p2")["operationState"]["operation"]["initiatedBy"]["username"] == "applicationset-controller"


async def test_a_rolling_set_that_deletes_in_reverse() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        found = [{"name": "d1", "env": "dev"}, {"name": "p1", "env": "prod"}]
        labelled = {**template(), "metadata": {"name": "{{name}}", "labels": {"env": "{{env}}"}}}
        strategy = {**rolling(("dev", None), ("prod", None)), "deletionOrder": "Reverse"}
        await make(p, [{"list": {"elements": found}}], template=labelled, strategy=strategy)
        await p.until(lambda: sorted(apps(p)) == ["d1", "p1"] and "finalizers" in the_set(p)["metadata"])
        await p.patch_application({"metadata": {"finalizers": ["example.com/hold"]}}, "p1")
        await p.cluster.delete(SETS, "argocd", "all")
        await p.until(lambda: "deletionTimestamp" in apps(p)["p1"]["metadata"])
        assert "deletionTimestamp" not in apps(p)["d1"]["metadata"]
        await p.patch_application({"metadata": {"finalizers": None}}, "p1")
        await p.until(lambda: not apps(p))


async def test_tokens_come_only_from_secrets_that_may_be_sent() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        strict = {"applicationsetcontroller.enable.tokenref.strict.mode": "true"}
        meta = {"name": "argocd-cmd-params-cm", "namespace": "argocd"}
        await p.cluster.create(
            CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": strict}, manager="p"
        )
        token = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": "argocd"},
            "data": {"t": "YQ=="},
        }
        await p.cluster.create(SECRETS, token, manager="person")
        await p.until(lambda: p.controller.context.config.config_maps, "the parameters are known")
        block = {"owner": "o", "repo": "r", "tokenRef": {"secretName": "s", "key": "t"}}
        await make(p, [{"pullRequest": {"github": block, "continueOnRepoNotFoundError": True}}])
        await p.until(
            lambda: (
                said(p, "ErrorOccurred").get("message", "").endswith("secret argocd/s is not a valid SCM creds secret")
            )
        )
        assert p.web.asked == []
        label = {"metadata": {"labels": {"argocd.argoproj.io/secret-type": "scm-creds"}}}
        await p.cluster.patch(SECRETS, "argocd", "s", label, manager="person")
        await change(p, {"metadata": {"annotations": {"argocd.argoproj.io/application-set-refresh": "true"}}})
        await p.until(lambda: len(p.web.asked) >= 1)
