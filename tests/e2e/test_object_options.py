"""Options of objects, on both clusters (replaced, made anew, not dry-run), and what is no drift: kept, copied, filled in by others."""

import json
from typing import Any

import pytest

from e2e.shop import deployment, manifest
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def config_map(name: str, *, options: str = "", compare: str = "", **body: Any) -> str:
    words = {"sync-options": options, "compare-options": compare}
    annotations = {f"argocd.argoproj.io/{word}": text for word, text in words.items() if text}
    return manifest("ConfigMap", name, metadata={"annotations": annotations} if annotations else {}, **body)


def place(stage: Stage) -> str:
    return f"{stage.space}-x"[-60:].lstrip("-")


def by_hand(*options: str) -> dict[str, Any]:
    return {"syncPolicy": {"syncOptions": ["CreateNamespace=true", *options]}}


def results(stage: Stage, *words: str, codes: tuple[int, ...] = (0,)) -> dict[str, str]:
    """What a sync says of each object: its name, and the result."""
    lines = stage.kilde("app", "sync", "shop", "-o", "json", *words, codes=codes)
    found = json.loads(lines)["syncResult"].get("resources") or []
    return {one["name"]: one["status"] for one in found}


def names(stage: Stage, kind: str) -> list[str]:
    found = json.loads(stage.kubectl("get", kind, "-n", place(stage), "-o", "json"))["items"]
    return sorted(one["metadata"]["name"] for one in found if one["metadata"]["name"] != "kube-root-ca.crt")


def test_objects_are_replaced_made_anew_and_left_out_of_the_dry_run(stage: Stage) -> None:
    forced = {"options": "Force=true,Replace=true", "immutable": True}
    missing = manifest(
        "Nothing", "n", "example.org/v1",
        metadata={"annotations": {"argocd.argoproj.io/sync-options": "SkipDryRunOnMissingResource=true"}},
    )  # fmt: skip
    stage.create_repository(
        {
            "app/applied.json": config_map("applied", data={"k": "1"}),
            "app/replaced.json": config_map("replaced", options="Replace=true", data={"k": "1"}),
            "app/forced.json": config_map("forced", data={"k": "1"}, **forced),
        }
    )
    stage.start()
    managed = {"managedNamespaceMetadata": {"labels": {"team": "red"}}}
    stage.application("shop", "app", place(stage), syncPolicy={**by_hand()["syncPolicy"], **managed})
    assert results(stage) == {place(stage): "Synced", "applied": "Synced", "replaced": "Synced", "forced": "Synced"}
    namespace = stage.get("namespace", place(stage))
    assert namespace is not None
    assert namespace["metadata"]["labels"]["team"] == "red"
    uid = (stage.get("configmap", "forced", "-n", place(stage)) or {})["metadata"]["uid"]
    for name in ("applied", "replaced"):
        patch = json.dumps({"data": {"mine": "yes"}})
        stage.kubectl("patch", "configmap", name, "-n", place(stage), "--type=merge", "-p", patch)
    stage.commit(
        {
            "app/applied.json": config_map("applied", data={"k": "2"}),
            "app/replaced.json": config_map("replaced", options="Replace=true", data={"k": "2"}),
            "app/forced.json": config_map("forced", data={"k": "2"}, **forced),
        }
    )
    stage.kilde("app", "sync", "shop")
    found = {name: stage.get("configmap", name, "-n", place(stage)) or {} for name in ("applied", "replaced", "forced")}
    assert {name: one["data"] for name, one in found.items()} == {
        "applied": {"k": "2", "mine": "yes"},
        "replaced": {"k": "2"},
        "forced": {"k": "2"},
    }
    assert found["forced"]["metadata"]["uid"] != uid
    stage.commit({"app/missing.json": manifest("Nothing", "n", "example.org/v1"), "app/new.json": config_map("new")})
    stage.kilde("app", "sync", "shop", codes=(1,))
    assert "new" not in names(stage, "configmaps"), "nothing is written where the dry run fails"
    stage.commit({"app/missing.json": missing})
    stage.kilde("app", "sync", "shop", codes=(1,))
    assert "new" in names(stage, "configmaps"), "one that may be missing holds nobody up"


def test_what_is_kept_copied_or_filled_in_by_others_is_no_drift(stage: Stage) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    mark = {f"to-{place(stage)}": "yes"}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    part = {**role, "metadata": {"name": f"{place(stage)}-part", "labels": mark}, "rules": rules}
    whole = {
        **role,
        "metadata": {"name": f"{place(stage)}-whole"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": mark}]},
        "rules": [],
    }
    stage.create_repository(
        {
            "app/a.json": config_map("a", data={"k": "1"}),
            "app/kept.json": config_map("kept", options="Prune=false", compare="IgnoreExtraneous"),
            "app/web.json": deployment("web"),
            "app/part.json": json.dumps(part),
            "app/whole.json": json.dumps(whole),
        }
    )
    stage.start()
    settings = manifest("ConfigMap", "argocd-cm", data={"resource.compareoptions": "ignoreAggregatedRoles: true"})
    stage.kubectl("apply", "-n", stage.space, "-f", "-", stdin=settings)
    automated = {"automated": {"prune": True, "selfHeal": True, "allowEmpty": True}}
    policy = {**by_hand("PrunePropagationPolicy=orphan", "ApplyOutOfSyncOnly=true")["syncPolicy"], **automated}
    stage.application("shop", "app", place(stage), syncPolicy=policy)
    stage.until(lambda: stage.is_well("shop"), "shop is well")
    stage.until(
        lambda: (stage.get("clusterrole", f"{place(stage)}-whole") or {}).get("rules") == rules, "the role is filled in"
    )
    stage.until(lambda: names(stage, "replicasets"), "the Deployment has its ReplicaSet")
    original = stage.get("configmap", "a", "-n", place(stage)) or {}
    copy = {**original, "metadata": {"name": "copy", "annotations": original["metadata"]["annotations"]}}
    stage.kubectl("create", "-n", place(stage), "-f", "-", stdin=json.dumps(copy))

    sha = stage.commit({"app/kept.json": None, "app/a.json": config_map("a", data={"k": "2"})})
    stage.push()
    stage.until(lambda: stage.is_well("shop", sha), "what is extraneous is no difference")
    changed = [one["name"] for one in stage.status("shop")["operationState"]["syncResult"]["resources"]]
    assert "a" in changed
    assert not {"web", f"{place(stage)}-whole"} & set(changed), "what is in step is not applied"

    sha = stage.commit({f"app/{name}.json": None for name in ("a", "web", "part", "whole")} | {"app/README": ""})
    stage.push()
    stage.until(lambda: names(stage, "configmaps") == ["copy", "kept"], "all goes but what is kept, and is not ours")
    stage.until(lambda: names(stage, "deployments") == [], "the Deployment, too")
    assert names(stage, "replicasets") != [], "which leaves its ReplicaSet an orphan"
