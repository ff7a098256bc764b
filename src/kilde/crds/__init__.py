"""The custom resource definitions that Kilde works with: Argo CD's kinds, in the shape that Argo CD gives them.

Applications and AppProjects have no status subresource (the status is written with the object, as Argo CD does), ApplicationSets have one.
"""

from typing import Any

from kilde.crds import application, application_set, project
from kilde.crds.schema import Schema, fields, text

GROUP = "argoproj.io"
VERSION = "v1alpha1"


def definitions() -> list[dict[str, Any]]:
    """Application, ApplicationSet and AppProject as `apiextensions.k8s.io/v1` objects, ready to apply."""
    return [
        _definition("Application", ("app", "apps"), application.schema(), columns=application.COLUMNS),
        _definition("ApplicationSet", ("appset", "appsets"), application_set.schema(), status=True),
        _definition("AppProject", ("appproj", "appprojs"), project.schema()),
    ]


def _definition(
    kind: str,
    short: tuple[str, ...],
    properties: dict[str, Schema],
    *,
    columns: tuple[dict[str, Any], ...] = (),
    status: bool = False,
) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    common = {"apiVersion": text(), "kind": text(), "metadata": {"type": "object"}}
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": fields({**common, **properties}, required=("metadata", "spec"))},
    }
    if columns:
        version["additionalPrinterColumns"] = [dict(column) for column in columns]
    if status:
        version["subresources"] = {"status": {}}
    name = f"{plural}.{GROUP}"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "argocd"}},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "shortNames": list(short),
                "singular": kind.lower(),
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    }
