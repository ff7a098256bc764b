"""`clusterDecisionResource`: the clusters that the status of somebody's object names."""

from typing import Any

from kilde.core.sets.failures import GeneratorFailed, within
from kilde.core.sets.generators.asking import Asking, Generator, Spec, text, texts
from kilde.core.sets.outside import IN_CLUSTER, SERVER, KnownCluster
from kilde.core.sets.parameters import Parameters, as_go, bounded, printed

_OPERATORS = {"In": "in", "NotIn": "notin"}


def _give(spec: Spec, asking: Asking) -> list[Parameters]:
    with within("error reading configMapRef"):
        data = asking.outside.config_map(text(spec, "configMapRef"))
    group, slash, version = data.get("apiVersion", "").partition("/")
    plural, name, selector = data.get("kind", ""), text(spec, "name"), _selector(spec.get("labelSelector") or {})
    if not plural or not slash or not group:
        raise GeneratorFailed("there is a problem with the apiVersion, kind or resourceName provided")
    if bool(name) == bool(selector):
        raise GeneratorFailed("there is a problem with the definition of the ClusterDecisionResource generator")
    found = asking.outside.objects(group=group, version=version, plural=plural, name=name, selector=selector)
    if not found:
        raise GeneratorFailed("no clusterDecisionResources found")
    list_key, match_key = data.get("statusListKey") or "clusters", data.get("matchKey", "")
    known = {cluster.name: cluster for cluster in _clusters(asking)}
    out = []
    for decision in (each for body in found for each in _decisions(body, list_key)):
        cluster = known.get(printed(decision[match_key])) if decision.get(match_key) is not None else None
        if cluster is not None:
            out.append(_parameters(cluster, decision, spec, go=asking.filler.go))
    return bounded(out)


def _clusters(asking: Asking) -> list[KnownCluster]:
    known = list(asking.outside.clusters())
    if not any(cluster.server == SERVER for cluster in known):
        known.append(KnownCluster(name=IN_CLUSTER, server=SERVER))
    return known


def _decisions(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = (body.get("status") or {}).get(key) or []
    return [as_go(each) for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _parameters(cluster: KnownCluster, decision: dict[str, Any], spec: Spec, *, go: bool) -> Parameters:
    out: Parameters = {"name": cluster.name, "server": cluster.server}
    out |= {key: printed(value) for key, value in decision.items()}
    values = texts(spec, "values")  # as they are written: Argo CD fills them only with the template
    if values and go:
        return out | {"values": values}
    return out | {f"values.{key}": value for key, value in values.items()}


def _selector(written: dict[str, Any]) -> str:
    """The selector as the API takes it."""
    parts = [f"{key}={value}" for key, value in sorted((written.get("matchLabels") or {}).items())]
    for each in written.get("matchExpressions") or ():
        key, operator, values = str(each.get("key", "")), str(each.get("operator", "")), each.get("values") or []
        if operator in _OPERATORS:
            parts.append(f"{key} {_OPERATORS[operator]} ({','.join(str(value) for value in values)})")
        elif operator in ("Exists", "DoesNotExist"):
            parts.append(key if operator == "Exists" else f"!{key}")
        else:
            raise GeneratorFailed(f'"{operator}" is not a valid label selector operator')
    return ",".join(parts)


GENERATOR = Generator(give=_give, requeue=None)
