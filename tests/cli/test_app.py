"""`kilde app` against the embedded API server and a real one, with the test in the controller's place."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import Kilde, Said
from kilde.cli.applications import with_options
from kilde.cli.commands.app.delete import question
from kilde.cli.commands.app.sync import make_operation
from kilde.cli.identity import who
from kilde.cli.target import Target
from kilde.core.apps.operation import read_operation
from kilde.core.basics.moment import rfc3339
from kilde.crds import definitions

KUBECTL = str(Path(sys.executable).with_name("kubectl"))
SHA = "8ab01c2" + "0" * 33
NOBODY = json.dumps(
    {
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "a", "user": {}}],
    }
)
MOMENT = rfc3339(time.time() - 5 * 86400 - 60)


class Cluster:
    """kubectl, and what a controller would write."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __call__(self, *arguments: str, stdin: Sequence[object] = ()) -> str:
        command = [KUBECTL, "--kubeconfig", str(self.data_dir / "kubeconfig"), *arguments]
        text = "\n---\n".join(map(json.dumps, stdin)) or None
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def app(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("get", "application", "-n", "argocd", name, "-o", "json"))
        return found

    def create(self, name: str, *, status: object = None, **spec: Any) -> None:
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd", "finalizers": spec.pop("finalizers", [])},
            "spec": {
                "project": "default",
                "source": {"repoURL": "file:///repo", "path": f"apps/{name}", "targetRevision": "main"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
                **spec,
            },
        }
        if status is not None:
            body["status"] = status
        self("create", "-f", "-", stdin=[body])

    def patch(self, name: str, patch: object) -> None:
        self("patch", "application", "-n", "argocd", name, "--type=merge", "-p", json.dumps(patch))


@pytest.fixture(scope="module")
def crds(cluster_dir: Path) -> Cluster:
    cluster = Cluster(cluster_dir)
    cluster("apply", "--server-side", "-f", "-", stdin=definitions())
    cluster("wait", "--for=condition=Established", "crd/applications.argoproj.io", "--timeout=20s")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    cluster("apply", "--server-side", "-f", "-", stdin=[namespace])
    return cluster


@pytest.fixture
def cluster(crds: Cluster) -> Iterator[Cluster]:
    """A cluster without Applications."""
    yield crds
    for name in crds("get", "application", "-n", "argocd", "-o", "name").split():
        crds("patch", "-n", "argocd", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        crds("delete", "-n", "argocd", name, "--ignore-not-found")


@pytest.fixture
def app(kilde: Kilde, cluster: Cluster) -> Callable[..., Said]:
    def call(*arguments: object) -> Said:
        return kilde("app", *arguments, "--data-dir", cluster.data_dir)

    return call


def meanwhile(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def ages(text: str) -> str:
    """The text with each age that is the test's own as `0s`."""
    return re.sub(r"\b\d+s\b", "0s", text)


FINE = {
    "sync": {"status": "Synced", "revision": SHA},
    "health": {"status": "Healthy", "lastTransitionTime": MOMENT},
}


def test_the_list_is_a_table(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web", status=FINE)
    cluster.create("api", project="team", destination={"name": "east"})

    said = app("list")

    assert (said.code, ages(said.out), said.err) == (
        0,
        "NAME   PROJECT   SYNC      HEALTH    REVISION   PATH       DESTINATION       AGE\n"
        "api    team      Unknown   Unknown              apps/api   east              0s\n"
        "web    default   Synced    Healthy   8ab01c2    apps/web   in-cluster/shop   0s\n",
        "",
    )


def test_the_list_as_json_is_the_objects(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web", status=FINE)
    cluster.create("api", project="team")

    everything, some = (
        json.loads(app("list", "-o", "json").out),
        json.loads(app("list", "--project", "team", "-o", "json").out),
    )

    assert [one["metadata"]["name"] for one in everything] == ["api", "web"]
    assert everything[1] == cluster.app("web")
    assert [one["metadata"]["name"] for one in some] == ["api"]


def test_an_empty_list_says_so(app: Callable[..., Said], cluster: Cluster) -> None:
    assert app("list") == Said(0, "", "no applications in namespace argocd\n")


def test_get_tells_an_application_in_full(app: Callable[..., Said], cluster: Cluster) -> None:
    state = {
        "phase": "Failed",
        "message": "one or more objects failed to apply",
        "startedAt": MOMENT,
        "finishedAt": MOMENT,
        "operation": {},
        "syncResult": {
            "revision": SHA,
            "resources": [
                {
                    "group": "apps",
                    "version": "v1",
                    "kind": "Deployment",
                    "namespace": "shop",
                    "name": "web",
                    "status": "SyncFailed",
                    "message": "is invalid\nfor two reasons",
                }
            ],
        },
    }
    resources = [
        {
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web",
            "status": "OutOfSync",
        },
        {
            "version": "v1",
            "kind": "ConfigMap",
            "namespace": "shop",
            "name": "old",
            "status": "OutOfSync",
            "requiresPruning": True,
        },
        {"version": "v1", "kind": "Pod", "namespace": "shop", "name": "hook", "hook": True, "requiresPruning": True},
        {
            "version": "v1",
            "kind": "Secret",
            "namespace": "shop",
            "name": "s",
            "status": "Unknown",
            "requiresPruning": True,
        },
    ]
    condition = {"type": "SyncError", "message": "Failed last sync attempt", "lastTransitionTime": MOMENT}
    cluster.create(
        "web",
        syncPolicy={"automated": {"prune": True, "selfHeal": True}},
        status={
            "sync": {"status": "OutOfSync", "revision": SHA},
            "health": {"status": "Degraded"},
            "operationState": state,
            "resources": resources,
            "conditions": [condition],
            "summary": {"images": ["web:1", "proxy:2"]},
        },
    )

    said = app("get", "web")

    assert (said.code, said.out, said.err) == (
        0,
        """\
Name:         web
Project:      default
Source:       file:///repo apps/web at main
Destination:  in-cluster/shop
Sync policy:  automated (prune, self-heal)
Sync:         OutOfSync to 8ab01c2
Health:       Degraded
Operation:    Failed, 5d ago: one or more objects failed to apply
Images:       web:1, proxy:2

CONDITION   SINCE   MESSAGE
SyncError   5d      Failed last sync attempt

KIND              NAMESPACE   NAME   SYNC                          FROM
Deployment.apps   shop        web    OutOfSync
ConfigMap         shop        old    OutOfSync, requires pruning
Pod               shop        hook   hook
Secret            shop        s      Unknown

KIND              NAMESPACE   NAME   LAST RESULT   MESSAGE
Deployment.apps   shop        web    SyncFailed    is invalid for two reasons
""",
        "",
    )


def test_a_name_that_is_not_there_is_met_with_a_near_one(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("payments")

    said = app("get", "payment")

    expected = "error: payment: no Application of that name in namespace argocd (did you mean 'payments'?)\n"
    assert said == Said(3, "", expected)


def test_a_refresh_is_asked_for_and_waited_for(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web")
    asked: list[str] = []

    def controller() -> None:
        annotations = until(lambda: cluster.app("web")["metadata"].get("annotations"))
        asked.append(annotations["argocd.argoproj.io/refresh"])
        cluster.patch("web", {"metadata": {"annotations": None}, "status": FINE})

    thread = meanwhile(controller)
    said = app("get", "web", "--hard-refresh", "-o", "json")
    thread.join()

    assert (said.code, json.loads(said.out)["status"], asked) == (0, FINE, ["hard"])


def test_a_refresh_that_nobody_serves_is_given_up(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web")

    said = app("get", "web", "--refresh", "--timeout", "1s")

    hint = "hint: is a controller running? kilde up\n"
    assert said == Said(3, "", f"error: web: it was not refreshed within 1 s\n{hint}")


@pytest.mark.parametrize(("phase", "code"), [("Succeeded", 0), ("Failed", 1), ("Error", 1)])
def test_a_sync_is_asked_for_and_its_end_told(
    app: Callable[..., Said], cluster: Cluster, phase: str, code: int
) -> None:
    cluster.create("web")
    asked: list[object] = []

    def controller() -> None:
        operation = until(lambda: cluster.app("web").get("operation"))
        asked.append(operation)
        asked.append(cluster.app("web")["metadata"]["annotations"])
        state = {
            "phase": phase,
            "message": "that is all",
            "startedAt": MOMENT,
            "operation": operation,
            "syncResult": {
                "revision": SHA,
                "resources": [
                    {
                        "group": "",
                        "version": "v1",
                        "kind": "ConfigMap",
                        "namespace": "shop",
                        "name": "a",
                        "status": "Synced",
                        "message": "configmap/a created",
                    }
                ],
            },
        }
        cluster.patch("web", {"operation": None, "status": {"operationState": state}})

    thread = meanwhile(controller)
    wanted = ("--prune", "--revision", "v1", "--resource", "apps:Deployment:web", "--resource", ":ConfigMap:shop/a")
    said = app("sync", "web", *wanted, "--sync-option", "Replace=true")
    thread.join()

    assert said == Said(
        code,
        "KIND        NAMESPACE   NAME   RESULT   MESSAGE\n"
        "ConfigMap   shop        a      Synced   configmap/a created\n"
        f"{phase}: that is all\n",
        "",
    )
    assert asked == [
        {
            "initiatedBy": {"username": who()},
            "sync": {
                "revision": "v1",
                "prune": True,
                "resources": [
                    {"group": "apps", "kind": "Deployment", "name": "web"},
                    {"kind": "ConfigMap", "name": "a", "namespace": "shop"},
                ],
                "syncOptions": ["Replace=true"],
            },
        },
        {"argocd.argoproj.io/refresh": "normal"},
    ]


def test_what_a_sync_names_takes_the_place_of_the_applications_options() -> None:
    app = {"spec": {"syncPolicy": {"syncOptions": ["Prune=false", "Replace=true", "Prune=confirm", "PruneLast=true"]}}}
    asked = with_options({"sync": {"syncOptions": ["Prune=true", "Validate=false"]}}, app)
    assert asked == {"sync": {"syncOptions": ["Replace=true", "PruneLast=true", "Prune=true", "Validate=false"]}}
    assert with_options({"sync": {"prune": True}}, {"spec": {}}) == {"sync": {"prune": True}}


def test_a_sync_waits_its_turn(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web")
    first = app("sync", "web", "--no-wait")
    second = app("sync", "web", "--no-wait")

    assert first == Said(0, "asked for a sync of web\n", "")
    hint = "hint: wait for it: kilde app wait web --operation\n"
    assert second == Said(3, "", f"error: web: another operation is under way\n{hint}")


def test_an_operation_is_ended_or_taken_back_before_it_begins(app: Callable[..., Said], cluster: Cluster) -> None:
    asked: list[Any] = []
    cluster.create("web", status={"operationState": {"phase": "Running", "startedAt": MOMENT, "operation": {}}})

    def controller() -> None:
        for _ in range(200):
            state = cluster.app("web")["status"]["operationState"]
            if state["phase"] == "Terminating":
                asked.append(state["phase"])
                break
            time.sleep(0.05)
        cluster.patch("web", {"status": {"operationState": {"phase": "Failed", "message": "Operation terminated"}}})

    thread = meanwhile(controller)
    ended = app("terminate", "web")
    thread.join()
    again = app("terminate", "web")
    cluster.patch("web", {"operation": {"sync": {}}})
    back = app("terminate", "web")

    assert (asked, ended) == (["Terminating"], Said(0, "Failed: Operation terminated\n", ""))
    assert again == Said(3, "", "error: web: no operation is under way\nhint: see what was: kilde app get web\n")
    assert back == Said(0, "took back web's operation before it began\n", "")
    assert "operation" not in cluster.app("web")


def test_an_operation_that_does_not_end_is_told(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web", status={"operationState": {"phase": "Running", "startedAt": MOMENT, "operation": {}}})
    hint = "hint: it ends as soon as a running controller sees it: kilde app get says how it is\n"

    said = app("terminate", "web", "--timeout", "1s")
    asked = app("terminate", "web", "--no-wait")

    assert said == Said(3, "", f"error: web: the operation was not over within 1 s\n{hint}")
    assert asked == Said(0, "asked for the end of web's operation\n", "")
    assert cluster.app("web")["status"]["operationState"]["phase"] == "Terminating"


def test_wait_ends_when_all_are_as_they_should_be(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web", status=FINE)
    cluster.create("api")

    def controller() -> None:
        time.sleep(0.3)
        cluster.patch("api", {"status": FINE})

    thread = meanwhile(controller)
    said = app("wait", "web", "api")
    thread.join()

    assert (said.code, ages(said.out), said.err) == (
        0,
        "NAME   PROJECT   SYNC     HEALTH    REVISION   PATH       DESTINATION       AGE\n"
        "api    default   Synced   Healthy   8ab01c2    apps/api   in-cluster/shop   0s\n"
        "web    default   Synced   Healthy   8ab01c2    apps/web   in-cluster/shop   0s\n",
        "",
    )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "sync is OutOfSync, health is Progressing, has an operation under way"),
        (("--sync",), "sync is OutOfSync"),
        (("--health",), "health is Progressing"),
        (("--operation",), "has an operation under way"),
        (("--delete",), "is still there"),
    ],
)
def test_wait_that_is_in_vain_says_what_is_missing(
    app: Callable[..., Said], cluster: Cluster, options: tuple[str, ...], complaint: str
) -> None:
    state = {"phase": "Running", "startedAt": MOMENT, "operation": {}}
    cluster.create(
        "web", status={"sync": {"status": "OutOfSync"}, "health": {"status": "Progressing"}, "operationState": state}
    )

    said = app("wait", "web", "--timeout", "1s", *options)

    assert (said.code, said.err) == (1, f"error: web: {complaint} after 1 s\n")


def test_the_history_is_newest_first(app: Callable[..., Said], cluster: Cluster) -> None:
    entries = [
        {
            "id": 0,
            "revision": SHA,
            "deployedAt": MOMENT,
            "initiatedBy": {"username": "ann"},
            "source": {"repoURL": "r", "path": "a"},
        },
        {"id": 1, "revision": "v2", "deployedAt": MOMENT, "initiatedBy": {"automated": True}},
    ]
    cluster.create("web", status={"history": entries})

    assert app("history", "web") == Said(
        0,
        "ID   DEPLOYED               REVISION                                   BY          PATH\n"
        f"1    {MOMENT}   v2                                         automated\n"
        f"0    {MOMENT}   {SHA}   ann         a\n",
        "",
    )


def test_what_is_held_is_told_and_released_by_its_own_digest_alone(app: Callable[..., Said], cluster: Cluster) -> None:
    digest = "0123456789abcdef" * 4
    held = f"6 of 7 objects would be deleted. If that is meant: kilde app approve web --plan {digest}, or …"
    cluster.create("web", status={"conditions": [{"type": "DeletionHeldWarning", "message": held}]})
    cluster.create("idle", status={})

    def approved() -> str | None:
        found: str | None = (cluster.app("web")["metadata"].get("annotations") or {}).get(
            "kilde.dev/approved-deletions"
        )
        return found

    assert app("approve", "idle") == Said(0, "nothing is held\n", "")
    assert app("approve", "idle", "--plan", digest[:12]).code == 3
    assert app("approve", "web") == Said(1, f"{held}\n", "")
    told = json.loads(app("approve", "web", "-o", "json").out)
    assert told == {"application": "web", "held": held, "plan": digest}
    for wrong in (digest[:11], f"{digest[:12]}f", digest[1:], "x"):
        said = app("approve", "web", "--plan", wrong)
        assert (said.code, said.err) == (
            3,
            f"error: web: what is held is not {wrong}\nhint: see what it is: kilde app approve web\n",
        )
    assert approved() is None
    said = app("approve", "web", "--plan", digest[:12])
    assert said == Said(0, f"approved the deletions {digest} of web; now: kilde app sync web --prune\n", "")
    assert re.fullmatch(rf"{digest} \S+@\S+", approved() or "")


def test_undo_without_a_store_says_where_to_look(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web")
    said = app("undo", "web")
    assert (said.code, "nothing was kept here\nhint: name the data directory of kilde up\n" in said.err) == (3, True)


def test_delete_cascades_and_waits_for_the_controller(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web")
    seen: list[list[str]] = []

    def controller() -> None:
        app = until(lambda: (found := cluster.app("web"))["metadata"].get("deletionTimestamp") and found)
        seen.append(app["metadata"]["finalizers"])
        cluster.patch("web", {"metadata": {"finalizers": None}})

    thread = meanwhile(controller)
    said = app("delete", "web", "--yes")
    thread.join()

    assert (said, seen) == (Said(0, "deleted web\n", ""), [["resources-finalizer.argocd.argoproj.io"]])


def test_delete_without_cascade_leaves_what_was_deployed(app: Callable[..., Said], cluster: Cluster) -> None:
    cluster.create("web", finalizers=["resources-finalizer.argocd.argoproj.io"])

    said = app("delete", "web", "--no-cascade", "--yes")

    assert said == Said(0, "deleted web\n", "")
    assert cluster("get", "application", "-n", "argocd", "-o", "name") == ""


@pytest.mark.parametrize(
    ("kubeconfig", "context", "cascade", "asked"),
    [
        (None, "", True, "Delete web and its 2 objects, in the cluster of kubectl's own kubeconfig, current context?"),
        (
            Path("state/kubeconfig"),
            "east",
            False,
            "Delete web and leave its 2 objects, in the cluster of state/kubeconfig, context east?",
        ),
    ],
)
def test_the_question_before_a_deletion_names_the_cluster(
    kubeconfig: Path | None, context: str, cascade: bool, asked: str
) -> None:
    target = Target(kubeconfig=kubeconfig, context=context, namespace="argocd", data_dir=Path("state"))

    assert question("web", {"status": {"resources": [{}, {}]}}, target, cascade=cascade) == asked


def test_delete_is_not_done_unasked(
    app: Callable[..., Said], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.create("web")
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        said = app("delete", "web")

    assert (said.code, said.err.splitlines()[-1]) == (2, "Error: say --yes where nobody can be asked")
    assert cluster.app("web")["metadata"].get("deletionTimestamp") is None


def test_a_cluster_that_was_stopped_is_told(kilde: Kilde, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(NOBODY)

    said = kilde("app", "list", "--data-dir", tmp_path)
    elsewhere = kilde("app", "list", "--kubeconfig", tmp_path / "kubeconfig")

    assert said == Said(
        3,
        "",
        f"error: {tmp_path}: the embedded cluster does not run\nhint: start it: kilde up --data-dir {tmp_path}\n",
    )
    unreachable = "error: argoproj.io/Application in argocd: cannot connect to http://127.0.0.1:1: Connection refused\n"
    assert elsewhere == Said(3, "", unreachable)


def test_a_folder_where_no_cluster_was_started_is_told(kilde: Kilde, tmp_path: Path) -> None:
    said = kilde("app", "list", "--data-dir", tmp_path)

    assert said == Said(
        3,
        "",
        f"error: {tmp_path}: no embedded cluster has been started there\n"
        "hint: start it with kilde up --data-dir, or give --kubeconfig for another cluster\n",
    )


def test_a_sync_that_waits_for_nobody_says_so_in_its_operation() -> None:
    asked = {"revision": "", "prune": True, "dry_run": False, "resources": (), "options": ()}
    operation = make_operation(**asked, ignore_dependencies=True)  # type: ignore[arg-type]
    assert operation["info"] == [{"name": "kilde.dev/depends-on", "value": "ignored"}]
    assert read_operation(operation).undelayed
    assert not read_operation(make_operation(**asked)).undelayed  # type: ignore[arg-type]
