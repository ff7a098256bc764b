"""Which changes a server refuses, by kind."""

from typing import Any

import pytest

from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import FieldChange
from kilde.core.plan.immutable import immutable_fields


@pytest.mark.parametrize(
    ("group", "kind", "path", "live", "refused"),
    [
        ("apps", "Deployment", "spec.selector.matchLabels.app", {}, True),
        ("apps", "Deployment", "spec.selectors", {}, False),
        ("apps", "Deployment", "spec.replicas", {}, False),
        ("apps", "StatefulSet", "spec.replicas", {}, False),
        ("apps", "StatefulSet", "spec.template.spec.containers[name=a].image", {}, False),
        ("apps", "StatefulSet", "spec.serviceName", {}, True),
        ("apps", "StatefulSet", "spec.volumeClaimTemplates[0].spec", {}, True),
        ("apps", "StatefulSet", "metadata.labels.a", {}, False),
        ("", "PersistentVolumeClaim", "spec.resources.requests.storage", {}, False),
        ("", "PersistentVolumeClaim", "spec.storageClassName", {}, True),
        ("", "ConfigMap", "data.a", {}, False),
        ("", "ConfigMap", "data.a", {"immutable": True}, True),
        ("", "Secret", "data.a", {"immutable": True}, True),
        ("", "Secret", "type", {}, True),
        ("batch", "Job", "spec.template.spec.containers[name=a].image", {}, True),
        ("batch", "Job", "spec.suspend", {}, False),
        ("rbac.authorization.k8s.io", "RoleBinding", "roleRef.name", {}, True),
        ("example.com", "Widget", "spec.selector", {}, False),
    ],
)
def test_a_change_of_a_field(group: str, kind: str, path: str, live: dict[str, Any], refused: bool) -> None:
    change = FieldChange(path, "a", "b", "differs from Git")
    found = immutable_fields(ObjectRef(group, kind, "shop", "x"), live, [change])
    assert found == ((path,) if refused else ())
