"""IAMPolicyGenerator: a service account bound to one of Google Cloud's."""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.render.kustomize.resource import Resource
from kilde.core.render.kustomize.shapes import TEXT, Shape

IAM_POLICY: dict[str, Shape] = {
    "cloud": TEXT,
    "kubernetesService": {"namespace": TEXT, "name": TEXT},
    "serviceAccount": {"name": TEXT, "projectId": TEXT},
}


def iam_policy(raw: Mapping[str, Any], place: Place | None) -> Resource:
    """Raises RenderFailed for any cloud but gke."""
    if raw.get("cloud") != "gke":
        raise RenderFailed(
            f"cloud provider {raw.get('cloud') or ''} not supported yet", about="IAMPolicyGenerator", place=place
        )
    if not (raw.get("serviceAccount") or {}).get("name"):
        raise RenderFailed("serviceAccount.name is missing", about="IAMPolicyGenerator", place=place)
    service, account = raw.get("kubernetesService") or {}, raw.get("serviceAccount") or {}
    name, project = account.get("name") or "", account.get("projectId") or ""
    metadata: dict[str, Any] = {
        "annotations": {"iam.gke.io/gcp-service-account": f"{name}@{project}.iam.gserviceaccount.com"},
        "name": service.get("name") or "",
    }
    if service.get("namespace"):
        metadata["namespace"] = service["namespace"]
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    made = Resource(body, place)
    made.behavior = "unspecified"
    return made
