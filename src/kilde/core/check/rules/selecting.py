"""Services, Ingresses, autoscalers and budgets that lead to nothing: no pod fits, no port, no Service, no workload."""

from collections.abc import Iterator
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.index import Pods
from kilde.core.check.references import WORKLOADS, at, containers
from kilde.core.check.rule import Rule
from kilde.core.check.units import Item, Unit
from kilde.core.objects.ref import split_api_version
from kilde.core.objects.selector import LabelSelector, label_selector
from kilde.core.objects.yaml_reader import Path


def _judgeable(context: Context, kind: str, group: str) -> Iterator[tuple[Unit, Item]]:
    for unit in context.judged:
        for item in unit.of_kind(group, kind):
            if not context.index.is_opaque(unit, item.namespace):
                yield unit, item


def _selected(context: Context, unit: Unit, item: Item, selector: LabelSelector) -> list[Pods]:
    return [one for one in context.index.pods[unit.cluster, item.namespace] if selector.matches(one.template.labels)]


def _service_selector(item: Item) -> LabelSelector | None:
    found = at(item.manifest.body, "spec", "selector")
    if not isinstance(found, dict) or not found or at(item.manifest.body, "spec", "type") == "ExternalName":
        return None  # its endpoints are made by somebody else
    return _selector({"matchLabels": found})


def _selector(raw: Any) -> LabelSelector | None:
    try:
        return label_selector(raw)
    except InvalidInput:
        return None  # the schema's rule tells it


def _services(context: Context) -> Iterator[Problem]:
    for unit, item in _judgeable(context, "Service", ""):
        selector = _service_selector(item)
        if selector is not None and not _selected(context, unit, item, selector) and not _custom(context, unit, item):
            hint = "compare it with the labels of the pod template"
            yield context.problem(unit, item, "its selector fits no pod", path=("spec", "selector"), hint=hint)


def _custom(context: Context, unit: Unit, item: Item) -> bool:
    """Whether there are custom resources beside it, whose controllers may make pods and Services."""
    return (unit.cluster, item.namespace) in context.index.operated


def _ports(context: Context) -> Iterator[Problem]:
    for unit, item in _judgeable(context, "Service", ""):
        selector = _service_selector(item)
        pods = _selected(context, unit, item, selector) if selector is not None else []
        if not pods:
            continue
        names = {name for one in pods for name in _port_names(one)}
        numbers = [_port_numbers(one) for one in pods]
        for number, port in enumerate(_maps(at(item.manifest.body, "spec", "ports"))):
            target = port.get("targetPort", port.get("port"))
            path: Path = ("spec", "ports", number, "targetPort" if "targetPort" in port else "port")
            if isinstance(target, str) and target not in names:
                known = ", ".join(sorted(names)) or "none has a name"
                message = f"targetPort '{target}' is no port of the pods that it selects"
                yield context.problem(unit, item, message, path=path, hint=f"their ports: {known}")
            elif isinstance(target, int) and all(numbers) and not any(target in some for some in numbers):
                listed = ", ".join(str(one) for one in sorted(set().union(*numbers)))
                message = f"targetPort {target} is not among the containerPorts of the pods that it selects"
                yield context.problem(unit, item, message, path=path, hint=f"their ports: {listed}")


def _port_names(pods: Pods) -> Iterator[str]:
    for container, _ in containers(pods.template):
        for port in _maps(container.get("ports")):
            if isinstance(port.get("name"), str):
                yield port["name"]


def _port_numbers(pods: Pods) -> set[int]:
    return {
        port["containerPort"]
        for container, _ in containers(pods.template)
        for port in _maps(container.get("ports"))
        if isinstance(port.get("containerPort"), int)
    }


def _ingresses(context: Context) -> Iterator[Problem]:
    for unit, item in _judgeable(context, "Ingress", "networking.k8s.io"):
        for service, path in _backends(item.manifest.body):
            name = service.get("name")
            if not isinstance(name, str) or not name:
                continue
            found = _objects(context, unit, item, "", "Service", name)
            if not found and not _custom(context, unit, item):
                message = f"names Service '{name}', which is not in Git"
                yield context.problem(unit, item, message, path=(*path, "name"), hint="add it, or mend the name")
            if not found:
                continue
            port = at(service, "port") or {}
            if not any(_has_port(one.manifest.body, port) for one in found):
                wanted = at(port, "name") or at(port, "number")
                message = f"Service '{name}' has no port {wanted}"
                yield context.problem(unit, item, message, path=(*path, "port"), hint="name one of its ports")


def _backends(body: Object) -> Iterator[tuple[Object, Path]]:
    default = at(body, "spec", "defaultBackend", "service")
    if isinstance(default, dict):
        yield default, ("spec", "defaultBackend", "service")
    for number, rule in enumerate(_maps(at(body, "spec", "rules"))):
        for place, one in enumerate(_maps(at(rule, "http", "paths"))):
            service = at(one, "backend", "service")
            if isinstance(service, dict):
                yield service, ("spec", "rules", number, "http", "paths", place, "backend", "service")


def _has_port(service: Object, wanted: Any) -> bool:
    ports = _maps(at(service, "spec", "ports"))
    if not isinstance(wanted, dict) or at(service, "spec", "type") == "ExternalName":
        return True
    if wanted.get("name"):
        return any(port.get("name") == wanted["name"] for port in ports)
    return wanted.get("number") is None or any(port.get("port") == wanted["number"] for port in ports)


def _objects(context: Context, unit: Unit, item: Item, group: str, kind: str, name: str) -> list[Item]:
    spot = item.spot(unit.cluster)._replace(group=group, kind=kind, name=name)
    return [found for _, found in context.index.spots.get(spot, ())]


def _autoscalers(context: Context) -> Iterator[Problem]:
    for unit, item in _judgeable(context, "HorizontalPodAutoscaler", "autoscaling"):
        target = at(item.manifest.body, "spec", "scaleTargetRef")
        if not isinstance(target, dict) or not isinstance(target.get("name"), str):
            continue
        group, kind = split_api_version(str(target.get("apiVersion") or ""))[0], str(target.get("kind") or "")
        if (group, kind) in WORKLOADS and not _objects(context, unit, item, group, kind, target["name"]):
            message = f"scales {kind} '{target['name']}', which is not in Git"
            path: Path = ("spec", "scaleTargetRef", "name")
            yield context.problem(unit, item, message, path=path, hint="add it, or mend apiVersion, kind and name")


def _budgets(context: Context) -> Iterator[Problem]:
    for unit, item in _judgeable(context, "PodDisruptionBudget", "policy"):
        raw = at(item.manifest.body, "spec", "selector")
        selector = _selector(raw) if isinstance(raw, dict) else None
        if selector is not None and not _selected(context, unit, item, selector) and not _custom(context, unit, item):
            hint = "compare it with the labels of the pod template"
            yield context.problem(unit, item, "its selector fits no pod", path=("spec", "selector"), hint=hint)


def _maps(value: Any) -> list[Object]:
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


SERVICE_SELECTOR = Rule(
    id="service-selector",
    title="a Service that no pod stands behind",
    severity=Severity.WARNING,
    docs="The selector of a Service fits the pods of no workload in its namespace: it has no endpoints. Not told where custom resources "
    "beside it may make the pods, or where something deploys into its namespace that could not be judged.",
    judge=_services,
)
SERVICE_PORT = Rule(
    id="service-port",
    title="a Service whose targetPort is no port of its pods",
    severity=Severity.ERROR,
    docs="The targetPort of a Service is a name that no container of the pods behind it gives to a port, or a number that none of them "
    "lists although all of them list their ports.",
    judge=_ports,
)
INGRESS_BACKEND = Rule(
    id="ingress-backend",
    title="an Ingress that leads to no Service",
    severity=Severity.ERROR,
    docs="An Ingress names a Service, or a port of one, that is not in its namespace: requests end with an error.",
    judge=_ingresses,
)
AUTOSCALER_TARGET = Rule(
    id="autoscaler-target",
    title="an autoscaler of nothing",
    severity=Severity.ERROR,
    docs="The scaleTargetRef of a HorizontalPodAutoscaler names a workload that is not in its namespace. Custom kinds are not judged: "
    "their controllers may make them.",
    judge=_autoscalers,
)
BUDGET_SELECTOR = Rule(
    id="budget-selector",
    title="a PodDisruptionBudget that protects nothing",
    severity=Severity.WARNING,
    docs="The selector of a PodDisruptionBudget fits the pods of no workload in its namespace.",
    judge=_budgets,
)
