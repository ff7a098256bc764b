"""What becomes of an Argo CD installation: whole plans of small ones, and what each thing in them is told to be."""

from typing import Any

import pytest

from kilde.cli.migrating.show import show
from kilde.core.apps.clusters import Clusters, KnownCluster
from kilde.core.basics.values import Object
from kilde.core.migrate.argocd import Installation, move_argocd, role_of
from kilde.core.migrate.model import Workload


def application(name: str = "shop", *, status: Object | None = None, **more: Any) -> Object:
    spec: Object = {
        "project": "shop",
        "source": {"repoURL": "https://git.example/config.git", "path": name, "targetRevision": "main"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
        **more.pop("spec", {}),
    }
    meta = {"name": name, "namespace": "argocd", "uid": "u1", "resourceVersion": "7", **more.pop("metadata", {})}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta, "spec": spec, **more}
    return {**body, "status": status or {}}


def project(name: str, annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    meta = {"name": name, "namespace": "argocd", "annotations": annotations or {}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta, "spec": spec}


def resource(kind: str, name: str, **more: Any) -> Object:
    return {"version": "v1", "kind": kind, "namespace": "shop", "name": name, "status": "Synced", **more}


AUTOMATED = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
CONTROLLER = Workload(
    kind="StatefulSet", namespace="argocd", name="argocd-application-controller", replicas=1, pods=1, image="a:v3.5.7"
)
WHOLE = """\
Argo CD on 127.0.0.1:6443 (v1.36.3)
1 AppProject, 1 ApplicationSet, 2 Applications, 1 Secret, 1 ConfigMap in Argo CD. 2 objects would be Kilde's, no mark on them changes.
StatefulSet argocd/argocd-application-controller runs (1 pod).

GOES ON                                                      AS
AppProject argocd/shop                                       it is, written as projects/shop.yaml
ApplicationSet argocd/all                                    it is, written as applicationsets/all.yaml
Application argocd/shop                                      it is, written as applications/shop.yaml, 2 objects
Application argocd/made                                      made by ApplicationSet all
Secret repo-1: repository (https://git.example/config.git)   read where it is; not written to files
ConfigMap argocd-cm                                          read as it is: application.resourceTrackingMethod, resource.exclusions

Needs a person
  Application argocd/shop: Secret login: refused by Kilde where Git has them in plain text (seal them: kilde seal)
    to keep it: annotation kilde.dev/raw-secrets: allowed on AppProject shop, or kilde up --raw-secrets allow
  ConfigMap argocd-cm: resource.compareoptions: not read by Kilde

Differs
  Application shop: a sync that would delete more than 5 objects and a tenth of them is held until somebody approves
    to keep it: kilde up --deletion-budget off --fleet-deletion-budget off
  Application shop: a commit that fails or does harm is put into quarantine; drift waits until a better one comes
    to keep it: kilde up --on-degraded off
  ApplicationSet all: a generator that answers with nothing deletes no Application
    to keep it: annotation kilde.dev/allow-empty: "true" on the set
  all Applications: objects are written by server-side apply, by the field manager kilde; drift is undone without delay
  ConfigMap argocd-cm: timeout.reconciliation: Kilde asks Git every 120 s unless told otherwise
    to keep it: kilde up --poll

Has no place in Kilde
  AppProject shop: roles: kept as they are (kilde project role); no API of Kilde's asks for them yet
  ConfigMap argocd-cm: url: of Argo CD's own web pages: who may do what here is the cluster's RBAC on Applications

2 things need a person before the move.
"""


def installation(**more: Any) -> Installation:
    return Installation(cluster="127.0.0.1:6443 (v1.36.3)", namespace="argocd", **more)


def test_a_whole_plan(capsys: pytest.CaptureFixture[str]) -> None:
    listed = [resource("ConfigMap", "config"), resource("Secret", "login"), resource("Job", "hook", hook=True)]
    owner = {"ownerReferences": [{"kind": "ApplicationSet", "name": "all"}]}
    found = installation(
        applications=[application(status={"resources": listed}, spec=AUTOMATED), application("made", metadata=owner)],
        projects=[project("shop", roles=[{"name": "dev"}])],
        sets=[
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "ApplicationSet",
                "metadata": {"name": "all", "namespace": "argocd"},
                "spec": {},
            }
        ],
        credentials=[{"kind": "repository", "name": "repo-1", "url": "https://git.example/config.git"}],
        config={
            "argocd-cm": {
                "application.resourceTrackingMethod": "annotation",
                "url": "https://argo.example",
                "resource.exclusions": "- kinds: [Lease]",
                "resource.compareoptions": "ignoreAggregatedRoles: true",
                "timeout.reconciliation": "60s",
            }
        },
        workloads=(CONTROLLER,),
    )
    moved = move_argocd(found)
    show(moved.move, "text")
    assert capsys.readouterr().out == WHOLE
    assert moved.move.needs_person
    show(moved.move, "markdown")
    assert "| `Application argocd/made` | `made by ApplicationSet all` |" in capsys.readouterr().out


def test_manifests_are_as_people_wrote_them() -> None:
    body = application(
        metadata={
            "annotations": {"argocd.argoproj.io/refresh": "hard", "team": "shop"},
            "finalizers": ["resources-finalizer.argocd.argoproj.io", "post-delete-finalizer.argocd.argoproj.io"],
            "managedFields": [{"manager": "x"}],
            "generation": 4,
        },
        status={"sync": {"status": "Synced"}},
        operation={"sync": {}},
    )
    moved = move_argocd(installation(applications=[body]))
    assert moved.move.busy == ("Application argocd/shop",)
    assert dict(moved.files) == {
        "applications/shop.yaml": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": "shop",
                "namespace": "argocd",
                "annotations": {"team": "shop"},
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": body["spec"],
        }
    }


@pytest.mark.parametrize(
    ("found", "about", "text"),
    [
        (
            {"applications": [application(status={"resources": [{"group": "apps", **_controller}]})]},
            "Application argocd/shop",
            "would start Argo CD again",
        )
        for _controller in [
            {"kind": "StatefulSet", "namespace": "argocd", "name": "argocd-application-controller", "version": "v1"}
        ]
    ]
    + [
        ({"operators": ("ArgoCD argocd/main",)}, "ArgoCD argocd/main", "would start it again"),
        (
            {
                "elsewhere": ("team/shop", "argocd-2/other"),
                "config": {"argocd-cmd-params-cm": {"application.namespaces": "team*, x"}},
            },
            "Application team/shop",
            "outside of namespace argocd",
        ),
        ({"unread": ("Secrets in argocd",)}, "Secrets in argocd", "may not be read"),
        ({"applications": [application(spec={"source": {}})]}, "Application argocd/shop", "spec.source.repoURL"),
        (
            {"applications": [application(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})]},
            "Application argocd/shop",
            "being deleted",
        ),
    ],
)
def test_what_needs_a_person(found: dict[str, Any], about: str, text: str) -> None:
    notes = move_argocd(installation(workloads=(CONTROLLER,), **found)).move.of("person")
    assert [note.about for note in notes if text in note.text] == [about]


def test_secrets_that_a_project_allows_need_nobody() -> None:
    app = application(status={"resources": [resource("Secret", "login")]})
    allowing = project("shop", {"kilde.dev/raw-secrets": "allowed"})
    assert not move_argocd(installation(applications=[app], projects=[allowing])).move.needs_person


@pytest.mark.parametrize(
    ("labels", "name", "role"),
    [
        ({}, "argocd-application-controller", "application-controller"),
        ({"app.kubernetes.io/name": "argocd-applicationset-controller"}, "x", "applicationset-controller"),
        (
            {"app.kubernetes.io/part-of": "argocd", "app.kubernetes.io/component": "application-controller"},
            "main-application-controller",
            "application-controller",
        ),
        ({"app.kubernetes.io/part-of": "argocd", "app.kubernetes.io/component": "server"}, "argocd-server", ""),
        ({}, "argocd-repo-server", ""),
    ],
)
def test_which_workloads_write(labels: dict[str, str], name: str, role: str) -> None:
    assert role_of({"metadata": {"name": name, "labels": labels}}) == role


def test_names_from_a_cluster_stay_in_the_folder() -> None:
    files = move_argocd(installation(applications=[application("../../x"), application("x/y")])).files
    assert sorted(files) == ["applications/-..-x.yaml", "applications/x-y.yaml"]


def test_a_cluster_that_a_secret_names_is_a_destination() -> None:
    app = application(spec={"destination": {"name": "east", "namespace": "shop"}})
    east = Clusters(known=(KnownCluster(name="east", server="https://east.example:6443"),))
    assert move_argocd(installation(applications=[app])).move.needs_person
    assert not move_argocd(installation(applications=[app], clusters=east)).move.needs_person
