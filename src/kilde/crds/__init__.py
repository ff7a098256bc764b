"""The custom resource definitions that Kilde works with: Argo CD's kinds and Sealed Secrets' in the shape of their own programs, and ours.

Applications and AppProjects have no status subresource (the status is written with the object, as Argo CD does), ApplicationSets have one.
"""

from typing import Any

from kilde.crds import application, application_set, guarded_space, project, sealed_secret, vault_secret
from kilde.crds.schema import Schema, fields, text

GROUP = "argoproj.io"
VERSION = "v1alpha1"


def definitions() -> list[dict[str, Any]]:
    """Application, ApplicationSet, AppProject, SealedSecret and Kilde's own as `apiextensions.k8s.io/v1` objects, ready to apply."""
    return [
        _definition("Application", ("app", "apps"), application.schema(), columns=application.COLUMNS),
        _definition("ApplicationSet", ("appset", "appsets"), application_set.schema(), status=True),
        _definition("AppProject", ("appproj", "appprojs"), project.schema()),
        _definition(
            "SealedSecret",
            (),
            sealed_secret.schema(),
            group="bitnami.com",
            part_of="sealed-secrets",
            columns=sealed_secret.COLUMNS,
            required=("spec",),
            status=True,
        ),
        _definition(
            "GuardedSpace", (), guarded_space.schema(), group="kilde.dev", part_of="kilde", required=("metadata",)
        ),
        _definition(
            "VaultSecret",
            (),
            vault_secret.schema(),
            group=vault_secret.GROUP,
            part_of="kilde",
            columns=vault_secret.COLUMNS,
            required=("spec",),
            status=True,
        ),
    ]


def _definition(
    kind: str,
    short: tuple[str, ...],
    properties: dict[str, Schema],
    *,
    group: str = GROUP,
    part_of: str = "argocd",
    columns: tuple[dict[str, Any], ...] = (),
    required: tuple[str, ...] = ("metadata", "spec"),
    status: bool = False,
) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    common = {"apiVersion": text(), "kind": text(), "metadata": {"type": "object"}}
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": fields({**common, **properties}, required=required)},
    }
    if columns:
        version["additionalPrinterColumns"] = [dict(column) for column in columns]
    if status:
        version["subresources"] = {"status": {}}
    name = f"{plural}.{group}"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": part_of}},
        "spec": {
            "group": group,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                **({"shortNames": list(short)} if short else {}),
                "singular": kind.lower(),
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    }
