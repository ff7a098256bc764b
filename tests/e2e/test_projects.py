"""What an AppProject asks beside rules of deployment, on both clusters: orphaned resources, and whom syncs write as."""

import json
from typing import Any

import pytest

from e2e.shop import deployment, manifest
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ALL: dict[str, Any] = {
    "sourceRepos": ["*"],
    "destinations": [{"server": "*", "namespace": "*"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
}


def project(stage: Stage, **spec: Any) -> None:
    meta = {"name": "team", "namespace": stage.space}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta, "spec": {**ALL, **spec}}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def test_orphans_are_counted_and_listed(stage: Stage) -> None:
    space = f"{stage.space}-shop"[-60:].lstrip("-")
    stage.create_repository({"shop/config.json": manifest("ConfigMap", "config", data={"k": "v"})})
    stage.start()
    ignored = [{"kind": "ConfigMap", "name": "other-*"}]
    project(stage, orphanedResources={"warn": True, "ignore": ignored})
    stage.application("shop", "shop", space, project="team")
    stage.until(lambda: stage.is_well("shop"), "shop is well")
    assert stage.conditions("shop") == []
    assert stage.said("app", "resources", "shop", "--orphaned").stderr == "no orphaned resources\n"
    for one in (deployment("lone", replicas=0), manifest("ConfigMap", "alone"), manifest("ConfigMap", "other-1")):
        stage.kubectl("create", "-n", space, "-f", "-", stdin=one)
    stage.until(lambda: stage.conditions("shop"), "orphans are told")
    said = ["OrphanedResourceWarning: Application has 3 orphaned resources"]
    stage.until(lambda: stage.conditions("shop") == said, "three are counted, the ReplicaSet among them")
    rows = [line.split() for line in stage.kilde("app", "resources", "shop", "--orphaned").splitlines()]
    assert rows[0] == ["GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED"]
    assert [row[-4:-1] for row in rows[1:3]] == [["ConfigMap", space, "alone"], ["Deployment", space, "web"]]
    assert rows[3][:3] == ["apps", "ReplicaSet", space]
    tracked = json.loads(stage.kilde("app", "resources", "shop", "-o", "json"))
    assert tracked == [{"group": "", "kind": "ConfigMap", "namespace": space, "name": "config", "orphaned": False}]
    project(stage)
    stage.until(lambda: stage.conditions("shop") == [], "nobody asks any more")
    refused = stage.said("app", "resources", "shop", "--orphaned")
    assert refused.returncode == 3
    assert "its project team does not ask about orphaned resources" in refused.stderr


def switch_impersonation_on(stage: Stage) -> None:
    keys = {"application.sync.impersonation.enabled": "true"}
    meta = {"name": "argocd-cm", "namespace": stage.space}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": keys}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def test_a_sync_has_the_rights_of_the_projects_account_and_no_others(stage: Stage) -> None:
    space = f"{stage.space}-shop"[-60:].lstrip("-")
    stage.create_repository({"shop/config.json": manifest("ConfigMap", "config", data={"k": "v"})})
    stage.start()
    stage.kubectl("create", "namespace", space)
    stage.kubectl("create", "serviceaccount", "deployer", "-n", space)
    switch_impersonation_on(stage)
    account = {"server": "https://kubernetes.default.svc", "namespace": space, "defaultServiceAccount": "deployer"}
    project(stage, destinationServiceAccounts=[account])
    stage.application("shop", "shop", space, project="team", syncPolicy={})
    stage.until(lambda: bool(stage.status("shop").get("sync")), "compared")
    denied = stage.said("app", "sync", "shop")
    assert denied.returncode == 1, denied
    refused = stage.status("shop")["operationState"]
    assert refused["phase"] == "Failed"
    said = f'User "system:serviceaccount:{space}:deployer" cannot patch resource "configmaps"'
    assert said in refused["syncResult"]["resources"][0]["message"]
    verbs = "--verb=get,create,patch,delete"
    stage.kubectl("create", "role", "deployer", "-n", space, "--resource=configmaps", verbs)
    binding = ("rolebinding", "deployer", "-n", space, "--role=deployer", f"--serviceaccount={space}:deployer")
    stage.kubectl("create", *binding)
    stage.kilde("app", "sync", "shop")
    assert stage.get("-n", space, "configmap", "config") is not None
    stage.commit({"shop/config.json": None, "shop/secret.json": manifest("Secret", "login")})
    stage.kilde("app", "get", "shop", "--refresh")
    assert stage.said("app", "sync", "shop", "--prune").returncode == 1
    results = stage.status("shop")["operationState"]["syncResult"]["resources"]
    told = {one["kind"]: one["status"] for one in results}
    assert told["Secret"] == "SyncFailed"
    assert stage.get("-n", space, "secret", "login") is None


def test_a_token_is_told_once_and_kept_nowhere(stage: Stage) -> None:
    stage.create_repository({"shop/config.json": manifest("ConfigMap", "config", data={"k": "v"})})
    stage.start()
    policies = [
        "p, proj:team:ci, applications, sync, team/*, allow",
        "p, proj:team:ci, applications, *, team/pay, deny",
    ]
    project(stage, roles=[{"name": "ci", "policies": policies}, {"name": "ops", "policies": ["nonsense"]}])
    listed = stage.said("project", "role", "list", "team")
    assert listed.returncode == 1
    assert [line.split()[:4] for line in listed.stdout.splitlines()[1:]] == [
        ["ci", "2", "0", "0"],
        ["ops", "0", "0", "0"],
    ]
    assert "ops: invalid policy rule 'nonsense': must be of the form" in listed.stderr
    made = stage.said("project", "role", "token", "create", "team", "ci", "--id", "build", "--expires-in", "1h")
    token = made.stdout.strip()
    assert (made.returncode, token.count(".")) == (0, 2), made.stderr
    assert token not in made.stderr
    assert stage.said("project", "role", "token", "create", "team", "ci", "--id", "build").returncode == 3
    for action, app, code in (("sync", "shop", 0), ("sync", "pay", 1), ("delete", "shop", 1)):
        assert stage.said("project", "role", "can", "team", "ci", action, app).returncode == code
    noted = stage.get("-n", stage.space, "appproject", "team")
    assert noted is not None
    [of_role] = [role["jwtTokens"] for role in noted["spec"]["roles"] if role["name"] == "ci"]
    assert noted["status"]["jwtTokensByRole"]["ci"]["items"] == of_role
    assert [(one["id"], one["exp"] - one["iat"]) for one in of_role] == [("build", 3600)]
    secret = stage.get("-n", stage.space, "secret", "argocd-secret")
    assert secret is not None
    shown = ("project", "role", "can", "team", "ci", "sync", "shop", "--token-stdin")
    assert stage.said(*shown, stdin=token).stdout == "yes\n"
    everywhere = json.dumps([noted, secret, json.loads(stage.kubectl("get", "events", "-A", "-o", "json"))])
    files = [path.read_bytes() for path in stage.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert token not in everywhere
    assert not any(token.split(".")[2].encode() in content for content in files)
    assert stage.kilde("project", "role", "token", "delete", "team", "ci", "build").startswith(
        "deleted token build of proj:team:ci"
    )
    gone = stage.said(*shown, stdin=token)
    assert gone.returncode == 3
    assert "the token was deleted from its project" in gone.stderr
    assert token not in gone.stderr


def test_what_a_project_does_not_permit_is_not_deployed(stage: Stage) -> None:
    space = f"{stage.space}-shop"[-60:].lstrip("-")
    role = manifest("ClusterRole", f"{space}-role", "rbac.authorization.k8s.io/v1", rules=[])
    stage.create_repository(
        {
            "good/a.json": manifest("ConfigMap", "a"),
            "kinds/b.json": manifest("ConfigMap", "b"),
            "kinds/s.json": manifest("ServiceAccount", "s"),
            "cluster/c.json": manifest("ConfigMap", "c"),
            "cluster/r.json": role,
        }
    )
    stage.start()
    stage.kubectl("create", "namespace", space)
    elsewhere = "https://git.example/elsewhere.git"
    project(
        stage,
        sourceRepos=[stage.url],
        destinations=[{"server": "*", "namespace": f"{space}*"}, {"server": "*", "namespace": f"!{space}-secret"}],
        clusterResourceWhitelist=[{"group": "", "kind": "Namespace"}],
        namespaceResourceBlacklist=[{"group": "", "kind": "ServiceAccount"}],
    )
    automated = {"automated": {}, "retry": {"limit": 0}}
    for name, more in {
        "good": {},
        "kinds": {},
        "cluster": {},
        "elsewhere": {"source": {"repoURL": elsewhere, "path": "good", "targetRevision": "main"}},
        "hidden": {"destination": {"server": "https://kubernetes.default.svc", "namespace": f"{space}-secret"}},
    }.items():
        stage.application(name, name, space, project="team", syncPolicy=automated, **more)
    stage.until(lambda: stage.is_well("good"), "what is permitted is deployed")

    def failed(name: str) -> str:
        state = stage.status(name).get("operationState") or {}
        return str(state.get("message")) if state.get("phase") == "Failed" else ""

    stage.until(lambda: failed("kinds") and failed("cluster"), "kinds that are not permitted")
    begun = "one or more synchronization tasks are not valid: resource"
    assert failed("kinds") == f"{begun} :ServiceAccount is not permitted in project team"
    assert failed("cluster") == f"{begun} rbac.authorization.k8s.io:ClusterRole is not permitted in project team"
    told = {}
    for name in ("elsewhere", "hidden"):
        stage.until(lambda name=name: stage.conditions(name), f"{name} says why")
        told[name] = stage.conditions(name)
    assert told == {
        "elsewhere": [f"InvalidSpecError: application repo {elsewhere} is not permitted in project 'team'"],
        "hidden": [
            f"InvalidSpecError: application destination server 'https://kubernetes.default.svc' and namespace '{space}-secret'"
            " do not match any of the allowed destinations in project 'team'"
        ],
    }
    made = json.loads(stage.kubectl("get", "configmaps", "-n", space, "-o", "json"))["items"]
    assert {one["metadata"]["name"] for one in made} - {"kube-root-ca.crt"} == {"a"}
