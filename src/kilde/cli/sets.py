"""ApplicationSets as the command line sees them: read from the cluster, or from a file."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from kilde.cli.applications import called, name_of
from kilde.cli.target import Target
from kilde.core.apps.names import place_of
from kilde.core.basics.errors import INSTALL_CRDS, ClusterError, KildeError
from kilde.core.basics.reading import did_you_mean
from kilde.core.basics.values import Object
from kilde.ports.cluster import Resource

_SETS = Resource("argoproj.io", "v1alpha1", "ApplicationSet", "applicationsets", True)


def all_sets(target: Target, *, everywhere: bool = False) -> list[Object]:
    """Every ApplicationSet of the namespace (`everywhere`: of all of them), by name. Every failure is a KildeError in words for people."""
    return asyncio.run(_all(target, "" if everywhere else target.namespace))


async def _all(target: Target, namespace: str) -> list[Object]:
    from kilde.wiring.cluster import open_cluster

    cluster = open_cluster(target.kubeconfig, context=target.context)
    try:
        found = [json.loads(raw) for raw in await cluster.list(_SETS, namespace)]
    except ClusterError as error:
        if error.status == 404:
            raise KildeError(
                "the cluster does not know ApplicationSets", hint=f"install them with: {INSTALL_CRDS}"
            ) from error
        raise
    finally:
        await cluster.close()
    for one in found:
        one["metadata"].pop("managedFields", None)
    return sorted(found, key=lambda one: called(one, target.namespace))


def one_set(target: Target, name: str) -> Object:
    """One ApplicationSet, `name` or `namespace/name`; KildeError with a near name when there is none."""
    namespace, own = place_of(name, target.namespace)
    found = all_sets(replace(target, namespace=namespace))
    for one in found:
        if name_of(one) == own:
            return one
    near = did_you_mean(own, map(name_of, found))
    raise KildeError(f"no ApplicationSet of that name in namespace {namespace}{near}", about=name)


def sets_in(file: str) -> list[Object]:
    """The ApplicationSets in a file of YAML or JSON; `-`: standard input."""
    from kilde.core.objects.yaml_reader import read_documents

    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise KildeError(f"cannot be read: {error.strerror}", about=file) from None
    found = [each.value for each in read_documents(data, file=file) if isinstance(each.value, dict)]
    sets = [each for each in found if each.get("kind") == "ApplicationSet"]
    if not sets:
        raise KildeError("there is no ApplicationSet in it", about=file)
    return sets
