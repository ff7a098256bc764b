"""Bad input: what people, and hostile people, put into Git and into Applications. One clear message; nothing applied, nothing pruned."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.git import sshd
from adapters.git.upstream import Special, Upstream
from engine.bad_commits import BUILD, MAP, REFUSED_TO_DECODE, REFUSED_TO_RENDER, bomb
from engine.world import NAMESPACES, Play, config_map
from kilde import crds
from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.core.objects.ref import ObjectRef
from kilde.engine.controller import Controller
from kilde.engine.settings import EngineSettings
from kilde.engine.world import World
from kilde.ports.cluster import Resource
from kilde.ports.sources import Credentials
from kilde.testing.cluster import FakeCluster
from kilde.testing.records import MemoryRecords
from kilde.testing.web import FakeWeb

pytestmark = pytest.mark.anyio

SOON = 20.0  # seconds on a loaded machine, a tenth of that on another: nothing that grows with what is in a bad commit
LOADING = "ComparisonError: Failed to load target state: failed to generate manifest for source 1 of 1: "
AUTO: dict[str, Any] = {"automated": {"prune": True, "selfHeal": True}, "retry": {"limit": 0}}
GOOD = {"app/a.yaml": config_map("a"), "app/c.yaml": config_map("c")}
URLS = "(write https://host/path, ssh://user@host/path, user@host:path or file:///path)"


class Stage(Play):
    """The engine with real Git: an upstream, an application of it in step, and what the log said."""

    def __init__(
        self, upstream: Upstream, cluster: FakeCluster, made: Controller, credentials: list[Credentials]
    ) -> None:
        super().__init__(cluster, None, None, made)  # type: ignore[arg-type]  # neither is used here
        self.upstream, self.credentials = upstream, credentials
        self.log: list[str] = []

    async def follow(self, **source: Any) -> None:
        """An application of the upstream's folder `app`, automated."""
        where = {"repoURL": self.upstream.url, "path": "app", "targetRevision": "main", **source}
        await self.application(source=where, syncPolicy=AUTO)

    async def in_step(self) -> None:
        self.upstream.commit(GOOD)
        await self.follow()
        await self.until(lambda: self.sync() == "Synced" and self.phase() == "Succeeded")

    async def push_bad(self, files: dict[str, Any], patience: float = SOON) -> str:
        """Commits; waits for the conditions; the commit's id."""
        sha = self.upstream.commit(files)
        begun = time.monotonic()
        await self.controller.push(frozenset([self.upstream.url]))
        await self.until(self.conditions, "a condition")
        assert time.monotonic() - begun < patience
        await self.quiet(0.15)
        return sha

    def objects(self) -> dict[str, Any]:
        """The namespace's ConfigMaps."""
        return {
            r.name: b.get("data")
            for r, b in self.cluster.objects().items()
            if r.kind == "ConfigMap" and r.namespace == "shop"
        }


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    clock = SystemClock()
    cluster = FakeCluster(clock)
    for definition in crds.definitions():
        names = definition["spec"]["names"]
        cluster.serve(Resource("argoproj.io", "v1alpha1", names["kind"], names["plural"], True))
    for name in ("argocd", "shop"):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await cluster.create(NAMESPACES, body, manager="person")
    sources = GitSources(tmp_path / "mirrors", clock=clock)
    world = World(
        cluster=cluster,
        sources=sources,
        records=MemoryRecords(),
        clock=clock,
        web=FakeWeb(),
        reach=lambda secret: cluster,
    )
    credentials = [Credentials()]
    made = Controller(
        world,
        EngineSettings(poll=3600.0, settle=0.05, watch_patience=2.0),
        lambda url, project, config: credentials[-1],
    )
    one = Stage(Upstream(tmp_path / "upstream"), cluster, made, credentials)

    def note(_: Any, method: str, event: dict[str, Any]) -> Any:
        one.log.append(f"{method}: {event}")
        raise structlog.DropEvent

    structlog.configure(processors=[note])
    one.running = asyncio.ensure_future(made.run())
    try:
        yield one
    finally:
        one.running.cancel()
        await asyncio.gather(one.running, return_exceptions=True)
        await made.close()
        await sources.close()
        structlog.reset_defaults()
        await asyncio.get_running_loop().shutdown_default_executor()


@pytest.mark.parametrize("case", REFUSED_TO_RENDER)
async def test_a_commit_that_cannot_be_rendered_is_told_and_changes_nothing(stage: Stage, case: str) -> None:
    files, told = REFUSED_TO_RENDER[case]
    await stage.in_step()
    before = stage.objects()
    await stage.push_bad({"app/a.yaml": config_map("a", k="new"), **files})
    assert stage.conditions() == [LOADING + told]
    assert (stage.sync(), stage.objects()) == ("Unknown", before)


@pytest.mark.parametrize("case", REFUSED_TO_DECODE)
async def test_an_object_that_cannot_be_decoded_fails_the_sync_before_anything_is_written(
    stage: Stage, case: str
) -> None:
    files, _, told = REFUSED_TO_DECODE[case]
    await stage.in_step()
    before = stage.objects()
    sha = await stage.push_bad({"app/a.yaml": config_map("a", k="new"), **files})
    assert stage.objects() == before
    why = "one or more objects failed to apply (dry run)"
    assert stage.conditions()[-1:] == [f"SyncError: Failed last sync attempt to [{sha}]: {why}"]
    state = stage.status()["operationState"]
    assert (stage.sync(), state["phase"], state["message"]) == ("OutOfSync", "Failed", why)
    [result] = state["syncResult"]["resources"]
    assert (result["status"], result["hookPhase"], result["message"]) == ("SyncFailed", "Failed", told)
    name = "" if "name" in case else "b"
    assert [one.get("name", "") for one in stage.status()["resources"]] == sorted([name, "a", "c"])
    assert [one["status"] for one in stage.status()["resources"]] == ["OutOfSync"] * 3
    assert any(why in line for line in stage.events())
    assert not [line for line in stage.log if "Traceback" in line or "exc_info" in line or line.startswith("error")]


# name → (the object in app/b.yaml, what the sync says)
REFUSED_TO_APPLY = {
    "an unknown kind": (
        "apiVersion: v1\nkind: ConfgMap\nmetadata: {name: b}\n",
        "one or more synchronization tasks are not valid: The Kubernetes API could not find ConfgMap for requested resource shop/b. "
        'Make sure the "ConfgMap" CRD is installed on the destination cluster.',
    ),
    "an apiVersion that is no longer served": (
        "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: b}\n",
        "one or more synchronization tasks are not valid: failed to discover server resources for group version apps/v1beta1: "
        "the server could not find the requested resource",
    ),
    "an apiVersion that is none": (
        "apiVersion: a/b/c\nkind: Deployment\nmetadata: {name: b}\n",
        "one or more synchronization tasks are not valid: failed to discover server resources for group version a/b/c: "
        "the server could not find the requested resource",
    ),
    "a namespace that is not there": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: nowhere}\n",
        'one or more synchronization tasks completed unsuccessfully, reason: namespaces "nowhere" not found',
    ),
    "a name that is a path": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../b}\n",
        "one or more synchronization tasks completed unsuccessfully, reason: '../b' cannot be a name",
    ),
    "containers that are a number": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b}\nspec: {template: {spec: {containers: 3}}}\n",
        "one or more synchronization tasks completed unsuccessfully, reason: failed to create typed patch object "
        "(shop/b; apps/v1, Kind=Deployment): .spec.template.spec.containers: expected list, got &{3}",
    ),
    "a job's template that is a number": (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: b}\nspec: {jobTemplate: {spec: 3}}\n",
        "one or more synchronization tasks completed unsuccessfully, reason: failed to create typed patch object "
        "(shop/b; batch/v1, Kind=CronJob): .spec.jobTemplate.spec: expected map, got &{3}",
    ),
}


@pytest.mark.parametrize("case", REFUSED_TO_APPLY)
async def test_an_object_that_the_cluster_cannot_take_is_told_and_nothing_is_pruned(stage: Stage, case: str) -> None:
    text, told = REFUSED_TO_APPLY[case]
    await stage.in_step()
    before = stage.objects()
    sha = await stage.push_bad({"app/a.yaml": config_map("a"), "app/b.yaml": text})
    assert stage.conditions() == [
        f"QuarantineWarning: {sha[:7]} is in quarantine: its sync failed: {told.rstrip('.')}. Nothing is written or healed until "
        "another commit comes; to deploy it all the same: kilde app sync shop",
        f"SyncError: Failed last sync attempt to [{sha}]: {told}",
    ]
    assert (stage.sync(), stage.phase(), stage.objects()) == ("OutOfSync", "Failed", before)
    assert not [line for line in stage.log if "Traceback" in line or line.startswith("error")]


async def test_nothing_at_all_is_applied_of_a_commit_with_a_kind_that_nobody_serves(stage: Stage) -> None:
    await stage.in_step()
    await stage.push_bad({"app/a.yaml": config_map("a", k="new"), "app/b.yaml": MAP.replace("ConfigMap", "Widget")})
    assert stage.objects() == {"a": {"k": "v"}, "c": {"k": "v"}}


async def test_of_two_files_that_make_one_object_the_later_counts_and_it_is_told(stage: Stage) -> None:
    await stage.in_step()
    await stage.push_bad({**GOOD, "app/b.yaml": MAP + "data: {k: one}\n", "app/z.yaml": MAP + "data: {k: two}\n"})
    assert stage.conditions() == [
        "RepeatedResourceWarning: Resource /ConfigMap/shop/b appeared 2 times among application resources."
    ]
    assert stage.objects() == {"a": {"k": "v"}, "b": {"k": "two"}, "c": {"k": "v"}}


async def test_a_file_of_40_megabytes_is_refused_unread(stage: Stage) -> None:
    await stage.in_step()
    before = stage.objects()
    line = b"# nothing to see here, and a lot of it, again and again and again\n"
    await stage.push_bad({"app/a.yaml": config_map("a", k="new"), "app/b.yaml": line * (40_000_000 // len(line))}, 30.0)
    assert stage.conditions() == [
        LOADING + "app/b.yaml: it has 39,999,960 bytes; more than 16,777,216 are not read "
        "(keep large files out of the configuration repository)"
    ]
    assert stage.objects() == before


@pytest.mark.parametrize(
    ("files", "condition"),
    [
        (
            {"app/a.yaml": "# nothing\n"},
            "SyncError: Skipping sync attempt to [{sha}]: auto-sync will wipe out all resources",
        ),
        (
            {"README.md": "hello\n"},
            LOADING + "rpc error: code = Unknown desc = app: app path does not exist",
        ),
        (
            {BUILD: "resources: []\n"},
            "SyncError: Skipping sync attempt to [{sha}]: auto-sync will wipe out all resources",
        ),
    ],
)
async def test_a_commit_that_makes_nothing_prunes_nothing(stage: Stage, files: dict[str, str], condition: str) -> None:
    await stage.in_step()
    before = stage.objects()
    sha = await stage.push_bad(files)
    assert stage.conditions() == [condition.format(sha=sha)]
    assert stage.objects() == before


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            {"targetRevision": "nope"},
            "rpc error: code = Unknown desc = unable to resolve 'nope' to a commit SHA",
        ),
        (
            {"targetRevision": "v9.*"},
            "rpc error: code = Unknown desc = unable to resolve 'v9.*' to a commit SHA",
        ),
        (
            {"targetRevision": "--upload-pack=x"},
            "rpc error: code = Unknown desc = unable to resolve '--upload-pack=x' to a commit SHA",
        ),
        (
            {"targetRevision": "0" * 40},
            f"rpc error: code = Unknown desc = unable to resolve '{'0' * 40}' to a commit SHA",
        ),
        ({"path": "nowhere"}, "rpc error: code = Unknown desc = nowhere: app path does not exist"),
        ({"path": "app/a.yaml"}, "rpc error: code = Unknown desc = app/a.yaml: app path is not a directory"),
        ({"path": "../app"}, "rpc error: code = Unknown desc = ../app: app path outside root"),
        ({"path": "/etc"}, "rpc error: code = Unknown desc = /etc: app path is absolute"),
        (
            {"repoURL": "file:///nowhere/at/all.git"},
            "rpc error: code = Unknown desc = failed to list refs: repository not found",
        ),
        ({"repoURL": "ext::sh -c id"}, "'ext::sh -c id': the repository URL has a space or a control character"),
        ({"repoURL": "--upload-pack=id"}, f"--upload-pack=id: this is not a repository URL {URLS}"),
        ({"repoURL": "ext::id"}, f"ext::id: this is not a repository URL {URLS}"),
        (
            {"repoURL": "http://user:sesame@127.0.0.1:1/x.git"},
            "http://127.0.0.1:1/x.git: 127.0.0.1:1 cannot be reached: Couldn't connect to server",
        ),
        ({"directory": {"include": "{a"}}, "'{a' is no glob: a brace is not closed"),
    ],
)
async def test_a_source_that_leads_nowhere_is_told(stage: Stage, source: dict[str, Any], told: str) -> None:
    stage.upstream.commit(GOOD)
    await stage.follow(**source)
    await stage.until(stage.conditions, "a condition")
    assert stage.conditions() == [LOADING + told]
    assert stage.objects() == {}
    assert "sesame" not in str(stage.status()["conditions"]) + str(stage.log)


async def test_a_glob_of_many_stars_takes_no_longer_than_another(stage: Stage) -> None:
    stage.upstream.commit({"app/a.yaml": config_map("a"), f"app/{'a' * 200}.yaml": config_map("b")})
    begun = time.monotonic()
    await stage.follow(directory={"include": "a*", "exclude": "*a" * 100 + "b"})
    await stage.until(lambda: stage.sync() == "Synced", "in step")
    assert time.monotonic() - begun < SOON
    assert stage.objects() == {"a": {"k": "v"}, "b": {"k": "v"}}


async def test_an_empty_repository_is_told(stage: Stage) -> None:
    await stage.follow()
    await stage.until(stage.conditions, "a condition")
    assert stage.conditions() == [LOADING + "rpc error: code = Unknown desc = unable to resolve 'main' to a commit SHA"]


@pytest.mark.skipif(sshd.PROGRAM is None, reason="no sshd on this machine (apt-get install openssh-server)")
async def test_a_host_key_that_is_another_is_told_and_the_last_good_state_stays(stage: Stage, tmp_path: Path) -> None:
    stage.upstream.commit(GOOD)
    with sshd.server(tmp_path / "ssh") as server:
        url = server.url(stage.upstream.path)
        stage.credentials.append(Credentials(ssh_private_key=server.private_key, known_hosts=server.known_hosts))
        await stage.follow(repoURL=url)
        await stage.until(lambda: stage.sync() == "Synced" and stage.phase() == "Succeeded")
        _, other = sshd.new_key(tmp_path, "other")
        line = f"[127.0.0.1]:{server.port} {' '.join(other.split()[:2])}\n"
        stage.credentials.append(Credentials(ssh_private_key=server.private_key, known_hosts=line))
        stage.upstream.commit({"app/a.yaml": config_map("a", k="new")})
        await stage.controller.push(frozenset([url]))
        await stage.until(stage.conditions, "a condition")
        assert stage.conditions() == [
            f"{LOADING}{url}: the server's host key is not the one that is known for [127.0.0.1]:{server.port}: "
            "somebody may be listening in (if the server has new keys, replace its lines in the ConfigMap "
            "argocd-ssh-known-hosts-cm, key ssh_known_hosts, with the output of "
            f"`ssh-keyscan -p {server.port} 127.0.0.1`, after checking it)"
        ]
    assert stage.objects() == {"a": {"k": "v"}, "c": {"k": "v"}}


SERVER = "https://kubernetes.default.svc"
EACH_REQUIRED = (
    "spec.source.repoURL and either source.path, source.chart, or source.ref are required for source "
    "{x   nil nil nil nil    }"
)
REQUIRED = "spec.source.repoURL and either spec.source.path or spec.source.chart are required"
ELSEWHERE = 'error getting cluster by server "https://elsewhere": rpc error: code = NotFound desc = cluster "https://elsewhere" not found'


def _source(**fields: Any) -> dict[str, Any]:
    return {"source": {"repoURL": "https://git.example/shop.git", "path": "app", "targetRevision": "main", **fields}}


def _policy(**fields: Any) -> dict[str, Any]:
    return {"syncPolicy": fields}


def _ignore(**fields: Any) -> dict[str, Any]:
    return {"ignoreDifferences": [{"kind": "ConfigMap", **fields}]}


# every field of a spec wrong in its turn: (the spec's change, what the condition says)
BAD_SPECS: list[tuple[dict[str, Any], str]] = [
    ({"project": 7}, "spec.project: must be a string, not a number"),
    ({"source": None}, REQUIRED),
    ({"source": "x"}, "spec.source: must be an object, not a string"),
    (_source(repoURL=""), REQUIRED),
    (_source(repoURL=3), "spec.source.repoURL: must be a string, not a number"),
    (_source(path=None), REQUIRED),
    (_source(path=["a"]), "spec.source.path: must be a string, not a list"),
    (_source(targetRevision=1.5), "spec.source.targetRevision: must be a string, not a fraction"),
    ({"sources": [{"repoURL": "x"}]}, EACH_REQUIRED),
    (
        {"sources": [{"repoURL": "x", "path": "a"}, {"repoURL": "y", "path": 1}]},
        "spec.sources[1].path: must be a string, not a number",
    ),
    (
        {"sources": [{"repoURL": "x", "ref": "a"}, {"repoURL": "y", "ref": "a"}]},
        "invalid sources: multiple sources had the same `ref` key",
    ),
    (
        {"sources": [{"repoURL": "x", "ref": "a/b"}]},
        "spec.sources[0].ref: has characters other than letters, digits, - and _",
    ),
    (_source(directory=[1]), "spec.source.directory: must be an object, not a list"),
    (_source(directory={"recurse": "yes"}), "spec.source.directory.recurse: must be true or false, not a string"),
    (_source(directory={"include": 1}), "spec.source.directory.include: must be a string, not a number"),
    (_source(directory={"exclude": [1]}), "spec.source.directory.exclude: must be a string, not a list"),
    (_source(kustomize=1), "spec.source.kustomize: must be an object, not a number"),
    *(
        (_source(kustomize={name: 1}), f"spec.source.kustomize.{name}: must be a string, not a number")
        for name in ("namePrefix", "nameSuffix", "namespace", "version", "kubeVersion")
    ),
    *(
        (_source(kustomize={name: "a"}), f"spec.source.kustomize.{name}: must be a list, not a string")
        for name in ("images", "replicas", "patches", "components", "apiVersions")
    ),
    *(
        (_source(kustomize={name: {"a": 1}}), f"spec.source.kustomize.{name}.a: must be a string, not a number")
        for name in ("commonLabels", "commonAnnotations")
    ),
    *(
        (_source(kustomize={name: "true"}), f"spec.source.kustomize.{name}: must be true or false, not a string")
        for name in (
            "forceCommonLabels",
            "forceCommonAnnotations",
            "labelWithoutSelector",
            "labelIncludeTemplates",
            "ignoreMissingComponents",
            "generate",
        )
    ),
    (_source(kustomize={"images": [1]}), "spec.source.kustomize.images[0]: must be a string, not a number"),
    (
        _source(kustomize={"replicas": [{"name": "a", "count": "x"}]}),
        "spec.source.kustomize.replicas[0].count: must be a whole number, not a string",
    ),
    (_source(kustomize={"patches": ["x"]}), "spec.source.kustomize.patches[0]: must be an object, not a string"),
    ({"destination": None}, "Destination server missing from app spec"),
    ({"destination": "x"}, "spec.destination: must be an object, not a string"),
    ({"destination": {"namespace": "shop"}}, "Destination server missing from app spec"),
    ({"destination": {"server": 1}}, "spec.destination.server: must be a string, not a number"),
    ({"destination": {"server": SERVER, "namespace": 1}}, "spec.destination.namespace: must be a string, not a number"),
    (
        {"destination": {"server": SERVER, "name": "in-cluster"}},
        f"application destination can't have both name and server defined: in-cluster {SERVER}",
    ),
    ({"destination": {"server": "https://elsewhere"}}, ELSEWHERE),
    ({"destination": {"name": "elsewhere"}}, "there are no clusters with this name: elsewhere"),
    ({"syncPolicy": "auto"}, "spec.syncPolicy: must be an object, not a string"),
    (_policy(automated=True), "spec.syncPolicy.automated: must be an object, not a boolean"),
    *(
        (_policy(automated={name: "no"}), f"spec.syncPolicy.automated.{name}: must be true or false, not a string")
        for name in ("enabled", "prune", "selfHeal", "allowEmpty")
    ),
    (_policy(syncOptions="CreateNamespace=true"), "spec.syncPolicy.syncOptions: must be a list, not a string"),
    (_policy(syncOptions=[1]), "spec.syncPolicy.syncOptions[0]: must be a string, not a number"),
    (_policy(retry=3), "spec.syncPolicy.retry: must be an object, not a number"),
    (_policy(retry={"limit": "3"}), "spec.syncPolicy.retry.limit: must be a whole number, not a string"),
    (_policy(retry={"refresh": 1}), "spec.syncPolicy.retry.refresh: must be true or false, not a number"),
    (_policy(retry={"backoff": "5s"}), "spec.syncPolicy.retry.backoff: must be an object, not a string"),
    (
        _policy(retry={"backoff": {"maxDuration": 5}}),
        "spec.syncPolicy.retry.backoff.maxDuration: must be a string, not a number",
    ),
    (
        _policy(retry={"backoff": {"factor": 1.5}}),
        "spec.syncPolicy.retry.backoff.factor: must be a whole number, not a fraction",
    ),
    (_policy(managedNamespaceMetadata=1), "spec.syncPolicy.managedNamespaceMetadata: must be an object, not a number"),
    (
        _policy(managedNamespaceMetadata={"labels": {"a": 1}}),
        "spec.syncPolicy.managedNamespaceMetadata.labels.a: must be a string, not a number",
    ),
    (
        _policy(managedNamespaceMetadata={"annotations": []}),
        "spec.syncPolicy.managedNamespaceMetadata.annotations: must be an object, not a list",
    ),
    ({"ignoreDifferences": {}}, "spec.ignoreDifferences: must be a list, not an object"),
    ({"ignoreDifferences": ["x"]}, "spec.ignoreDifferences[0]: must be an object, not a string"),
    ({"ignoreDifferences": [{"jsonPointers": ["/a"]}]}, "spec.ignoreDifferences[0].kind: is missing"),
    *(
        (_ignore(**{name: 1}), f"spec.ignoreDifferences[0].{name}: must be a string, not a number")
        for name in ("kind", "group", "name", "namespace")
    ),
    (_ignore(jsonPointers="/a"), "spec.ignoreDifferences[0].jsonPointers: must be a list, not a string"),
    (
        _ignore(managedFieldsManagers=[1]),
        "spec.ignoreDifferences[0].managedFieldsManagers[0]: must be a string, not a number",
    ),
    ({"revisionHistoryLimit": "10"}, "spec.revisionHistoryLimit: must be a whole number, not a string"),
]


async def test_each_wrong_field_of_an_application_is_told_by_its_path(stage: Stage) -> None:
    for number, (spec, _) in enumerate(BAD_SPECS):
        await stage.application(f"app-{number:03d}", **spec)
    await stage.until(lambda: all(stage.conditions(f"app-{n:03d}") for n in range(len(BAD_SPECS))), "all told")
    told = [(spec, stage.conditions(f"app-{n:03d}")) for n, (spec, _) in enumerate(BAD_SPECS)]
    assert told == [(spec, [f"InvalidSpecError: {message}"]) for spec, message in BAD_SPECS]
    assert {stage.sync(f"app-{n:03d}") for n in range(len(BAD_SPECS))} == {"Unknown"}
    assert stage.objects() == {}


async def test_an_application_that_goes_wrong_keeps_what_it_deployed_and_says_how_to_mend_it(stage: Stage) -> None:
    await stage.in_step()
    await stage.patch_application({"spec": {"destination": {"server": "https://elsewhere"}}})
    await stage.until(stage.conditions, "a condition")
    await stage.quiet()
    assert stage.conditions() == [f"InvalidSpecError: {ELSEWHERE}"]
    assert stage.objects() == {"a": {"k": "v"}, "c": {"k": "v"}}
    await stage.patch_application({"spec": {"destination": {"server": SERVER}}})
    await stage.until(lambda: stage.sync() == "Synced" and not stage.conditions(), "mended")


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ({"initiatedBy": {"username": "ann"}}, "Invalid operation request: no operation specified"),
        (
            {"sync": {"revision": "nope"}},
            "ComparisonError: Failed to load target state: failed to generate manifest for source 1 of 1: "
            "rpc error: code = Unknown desc = unable to resolve 'nope' to a commit SHA",
        ),
        (
            {"sync": {"manifests": ["x"]}},
            "Cannot use local sync when Automatic Sync Policy is enabled unless for dry run",
        ),
        (
            {"sync": {"resources": [{"kind": 1}]}},
            "Invalid operation request: operation.sync.resources[0].kind: must be a string, not a number",
        ),
    ],
)
async def test_a_bad_operation_ends_with_what_is_wrong_with_it(
    stage: Stage, operation: dict[str, Any], told: str
) -> None:
    await stage.in_step()
    await stage.patch_application({"operation": operation})
    await stage.until(lambda: stage.phase() == "Error", "refused")
    assert stage.status()["operationState"]["message"] == told
    body = stage.cluster.objects()[ObjectRef("argoproj.io", "Application", "argocd", "shop")]
    assert "operation" not in body


async def test_other_applications_go_on_beside_a_hostile_one(stage: Stage) -> None:
    stage.upstream.commit({"bad/b.yaml": bomb(), "app/a.yaml": config_map("a")})
    await stage.application("bad", source={"repoURL": stage.upstream.url, "path": "bad"}, syncPolicy=AUTO)
    await stage.follow()
    await stage.until(lambda: stage.conditions("bad") and stage.sync() == "Synced", "both looked at")
    stage.upstream.commit({"app/a.yaml": config_map("a", k="two")}, keep=True)
    await stage.controller.push(frozenset([stage.upstream.url]))
    await stage.until(lambda: stage.data("a") == {"k": "two"}, "the other one goes on")


# of the builds: those that fail on the command line too, where there is no repository to leave, and remotes are fetched
_ONLY_HERE = ("metadata", "leaves the repository", "is an absolute path", "not allowed here")
ON_THE_COMMAND_LINE = [
    name
    for name, (files, told) in REFUSED_TO_RENDER.items()
    if BUILD in files and not any(words in told for words in _ONLY_HERE)
]


@pytest.mark.parametrize("case", ON_THE_COMMAND_LINE)
async def test_kilde_build_says_the_same_as_the_condition(case: str, tmp_path: Path) -> None:
    files, told = REFUSED_TO_RENDER[case]
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Special):
            path.symlink_to(content.content)
        else:
            path.write_text(content)
    program = Path(sys.executable).with_name("kilde")
    done = subprocess.run([program, "build", "app"], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Error: {told}\n")
