"""Argo Workflows: a Workflow made of a WorkflowTemplate or of a CronWorkflow."""

import copy
from collections.abc import Mapping
from typing import Any, Final

from kilde.core.actions.action import BuiltIn, Call
from kilde.core.actions.changes import at
from kilde.core.basics.values import Object


def _workflow(obj: Object, label: str, spec: Any) -> Object:
    name = at(obj, "metadata", "name")
    meta = {"generateName": f"{name}-", "namespace": at(obj, "metadata", "namespace"), "labels": {label: name}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": meta, "spec": spec}


def _of_template(obj: Object, call: Call) -> Object:
    del call
    spec = {"workflowTemplateRef": {"name": at(obj, "metadata", "name")}}
    return _workflow(obj, "workflows.argoproj.io/workflow-template", spec)


def _of_cron(obj: Object, call: Call) -> Object:
    del call
    return _workflow(obj, "workflows.argoproj.io/cron-workflow", copy.deepcopy(at(obj, "spec", "workflowSpec") or {}))


_ICON: Final = "fa fa-fw fa-plus"
ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "WorkflowTemplate": (BuiltIn("create-workflow", _of_template, "Create Workflow", _ICON),),
    "CronWorkflow": (BuiltIn("create-workflow", _of_cron, "Create Workflow", _ICON),),
}
