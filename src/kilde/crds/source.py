"""Where an application's manifests come from, and how they are rendered: the block that eight fields of the kinds share."""

from kilde.crds.schema import (
    Schema,
    any_object,
    fields,
    flag,
    flag_map,
    many,
    text,
    text_map,
    texts,
    whole_or_text,
)


def source() -> Schema:
    """`spec.source` of an Application."""
    return fields(
        {
            "chart": text("A chart's name, where repoURL is a Helm repository."),
            "directory": directory(),
            "helm": helm(),
            "kustomize": kustomize(),
            "name": text("How this source is called where there are several."),
            "path": text("The folder in the repository."),
            "plugin": plugin(),
            "ref": text("A name by which other sources use this one's files."),
            "repoURL": text("The repository."),
            "tagPrefix": text("Only tags that begin so count for a version range."),
            "targetRevision": text("Branch, tag, commit or version range; HEAD if empty."),
        },
        required=("repoURL",),
        description="Where the manifests come from.",
    )


def directory() -> Schema:
    variable = fields({"code": flag(), "name": text(), "value": text()}, required=("name", "value"))
    jsonnet = fields({"extVars": many(variable), "libs": texts(), "tlas": many(variable)})
    return fields(
        {
            "disableExtensionFilter": flag("Files of any name are read."),
            "exclude": text("Files that match are not read."),
            "include": text("Only files that match are read."),
            "jsonnet": jsonnet,
            "recurse": flag("Folders inside it are read too."),
        },
        description="A folder of plain manifests.",
    )


def helm() -> Schema:
    parameter = fields({"forceString": flag(), "name": text(), "value": text()})
    return fields(
        {
            "apiVersions": texts(),
            "fileParameters": many(fields({"name": text(), "path": text()})),
            "ignoreMissingValueFiles": flag(),
            "kubeVersion": text(),
            "namespace": text(),
            "parameters": many(parameter),
            "passCredentials": flag(),
            "releaseName": text(),
            "skipCrds": flag(),
            "skipSchemaValidation": flag(),
            "skipTests": flag(),
            "valueFiles": texts(),
            "values": text(),
            "valuesObject": any_object(),
            "version": text(),
        },
        description="A Helm chart.",
    )


def kustomize() -> Schema:
    target = ("annotationSelector", "group", "kind", "labelSelector", "name", "namespace", "version")
    patch = fields(
        {"options": flag_map(), "patch": text(), "path": text(), "target": fields({name: text() for name in target})}
    )
    replica = fields({"count": whole_or_text(), "name": text()}, required=("count", "name"))
    return fields(
        {
            "apiVersions": texts(),
            "commonAnnotations": text_map(),
            "commonAnnotationsEnvsubst": flag(),
            "commonLabels": text_map(),
            "components": texts(),
            "forceCommonAnnotations": flag(),
            "forceCommonLabels": flag(),
            "ignoreMissingComponents": flag(),
            "generate": flag(),
            "images": texts(),
            "kubeVersion": text(),
            "labelIncludeTemplates": flag(),
            "labelWithoutSelector": flag(),
            "namePrefix": text(),
            "nameSuffix": text(),
            "namespace": text(),
            "patches": many(patch),
            "replicas": many(replica),
            "version": text(),
        },
        description="A kustomization, with what is set on top of it.",
    )


def plugin() -> Schema:
    parameter = fields({"array": texts(), "map": text_map(), "name": text(), "string": text()})
    variable = fields({"name": text(), "value": text()}, required=("name", "value"))
    return fields({"env": many(variable), "name": text(), "parameters": many(parameter)})


def hydrator() -> Schema:
    """`spec.sourceHydrator`: rendered manifests are committed to a branch, and synced from there."""
    dry = fields(
        {
            "directory": directory(),
            "helm": helm(),
            "kustomize": kustomize(),
            "path": text(),
            "plugin": plugin(),
            "repoURL": text(),
            "targetRevision": text(),
        },
        required=("path", "repoURL", "targetRevision"),
    )
    synced = fields(
        {"path": text(minLength=1), "repoURL": text(), "targetBranch": text()}, required=("path", "targetBranch")
    )
    staged = fields({"targetBranch": text()}, required=("targetBranch",))
    return fields(
        {"drySource": dry, "hydrateTo": staged, "syncSource": synced},
        required=("drySource", "syncSource"),
        description="Renders the dry source into a branch and syncs from it.",
    )
