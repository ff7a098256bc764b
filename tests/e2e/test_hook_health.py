"""Hooks of custom kinds, on both clusters: judged by our check (a Workflow), by one in Lua (a Lamp); one that holds a deletion."""

import json
from typing import Any

import pytest

from e2e.shop import manifest
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
LAMPS = """
local lit = (obj.status or obj.spec or {}).lit
if lit == nil then return {status = "Progressing", message = "dark"} end
return {status = lit and "Healthy" or "Degraded", message = lit and "it shines" or "it is broken"}
"""


def definition(group: str, kind: str) -> str:
    plural = f"{kind.lower()}s"
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": schema}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return json.dumps({**head, "metadata": {"name": f"{plural}.{group}"}, "spec": spec})


def noted(**annotations: str) -> dict[str, Any]:
    return {"annotations": {f"argocd.argoproj.io/{key.replace('_', '-')}": text for key, text in annotations.items()}}


def told(stage: Stage) -> str:
    return str((stage.status("shop").get("operationState") or {}).get("message"))


def report(stage: Stage, place: str, kind: str, name: str, **status: Any) -> None:
    """What a controller of that kind would write."""
    stage.kubectl("patch", kind, name, "-n", place, "--type=merge", "-p", json.dumps({"status": status}))


def prepare(stage: Stage) -> str:
    """Kilde with the kinds, and how a Lamp is judged; the namespace for the objects."""
    stage.start()
    for group, kind in (("argoproj.io", "Workflow"), ("example.org", "Lamp")):
        stage.kubectl("apply", "-f", "-", stdin=definition(group, kind))
    settings = manifest("ConfigMap", "argocd-cm", data={"resource.customizations.health.example.org_Lamp": LAMPS})
    stage.kubectl("apply", "-n", stage.space, "-f", "-", stdin=settings)
    return f"{stage.space}-x"[-60:].lstrip("-")


def test_a_sync_waits_for_hooks_of_any_kind_that_has_a_health(stage: Stage) -> None:
    lamp, flow = "example.org/v1alpha1", "argoproj.io/v1alpha1"
    stage.create_repository(
        {
            "app/flow.json": manifest("Workflow", "flow", flow, metadata=noted(hook="PreSync")),
            "app/lamp.json": manifest("Lamp", "lamp", lamp, metadata=noted(hook="PreSync", sync_wave="1")),
            "app/dim.json": manifest("Lamp", "dim", lamp, metadata=noted(ignore_healthcheck="true")),
            "app/a.json": manifest("ConfigMap", "a"),
        }
    )
    place = prepare(stage)
    stage.application("shop", "app", place, syncPolicy={"syncOptions": ["CreateNamespace=true"]})

    stage.kilde("app", "sync", "shop", "--no-wait")
    stage.until(lambda: told(stage) == "waiting for completion of hook argoproj.io/Workflow/flow", "for the Workflow")
    report(stage, place, "workflow", "flow", phase="Succeeded")
    stage.until(lambda: told(stage) == "waiting for completion of hook example.org/Lamp/lamp", "for the Lamp")
    report(stage, place, "lamp", "lamp", lit=False)
    stage.until(lambda: stage.status("shop")["operationState"]["phase"] == "Failed", "the Lamp is broken")
    results = stage.status("shop")["operationState"]["syncResult"]["resources"]
    assert [(one["name"], one["hookPhase"], one["message"]) for one in results if one["kind"] == "Lamp"] == [
        ("lamp", "Failed", "it is broken")
    ]
    assert stage.get("configmap", "a", "-n", place) is None

    stage.kilde("app", "sync", "shop", "--no-wait")
    stage.until(lambda: told(stage) == "waiting for completion of hook argoproj.io/Workflow/flow", "made anew")
    report(stage, place, "workflow", "flow", phase="Succeeded")
    stage.until(lambda: told(stage) == "waiting for completion of hook example.org/Lamp/lamp", "made anew, too")
    report(stage, place, "lamp", "lamp", lit=True)
    stage.until(lambda: stage.get("lamp", "dim", "-n", place), "what comes after the hooks")
    report(stage, place, "lamp", "dim", lit=False)
    stage.until(lambda: stage.is_well("shop"), "a Lamp that does not count")


def test_a_hook_that_holds_a_deletion_is_mended_by_a_commit(stage: Stage) -> None:
    hook, lamp = noted(hook="PreDelete", hook_delete_policy="HookSucceeded"), "example.org/v1alpha1"
    stage.create_repository(
        {
            "app/lamp.json": manifest("Lamp", "last", lamp, metadata=hook, spec={"lit": False}),
            "app/a.json": manifest("ConfigMap", "a"),
        }
    )
    place = prepare(stage)
    stage.application("shop", "app", place, syncPolicy={"syncOptions": ["CreateNamespace=true"]})
    stage.kilde("app", "sync", "shop")
    stage.kubectl("delete", "application", "shop", "-n", stage.space, "--wait=false")
    failure = f"DeletionError: error executing pre-delete hooks: PreDelete hook(s) failed: {place}/last"
    stage.until(lambda: failure in stage.conditions("shop"), "the hook fails")
    assert stage.get("configmap", "a", "-n", place) is not None
    stage.commit({"app/lamp.json": manifest("Lamp", "last", lamp, metadata=hook, spec={"lit": True})})
    stage.push()
    stage.until(lambda: stage.get("application", "shop", "-n", stage.space) is None, "the deletion goes on")
    assert stage.get("configmap", "a", "-n", place) is None
    assert stage.get("lamp", "last", "-n", place) is None
