"""Pods that name a ConfigMap, Secret, ServiceAccount or claim that is in no application of their namespace."""

from collections.abc import Iterator

from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.references import Reference, pod_references, pod_template
from kilde.core.check.rule import Judge, Rule
from kilde.core.check.units import Item, Spot, Unit


def _missing(kind: str, hint: str) -> Judge:
    def judge(context: Context) -> Iterator[Problem]:
        for unit in context.rendering.units:
            if not unit.affected and not context.rendering.removed:
                continue
            for item in unit.items:
                for reference in _absent(context, unit, item, kind):
                    message = f"names {kind} '{reference.name}', which is not in Git"
                    yield context.problem(unit, item, message, path=reference.path, hint=hint)

    return judge


def _absent(context: Context, unit: Unit, item: Item, kind: str) -> Iterator[Reference]:
    """What pods name that is not there; of a unit that is not judged only what the change takes away."""
    pod = pod_template(item.manifest)
    if pod is None or context.index.is_opaque(unit, item.namespace):
        return
    told = set()
    for reference in pod_references(pod):
        if reference.kind != kind or reference.name in told:
            continue
        spot = Spot(unit.cluster, item.namespace, "", kind, reference.name)
        if (unit.affected or spot in context.rendering.removed) and not context.index.has(
            unit, item.namespace, "", kind, reference.name
        ):
            told.add(reference.name)
            yield reference


_DOCS = (
    "The pods of a workload name {kind} that no application of this repository brings into their namespace, and "
    "that no controller is known "
    "to make; the pods would not start. References that are marked optional are passed over, and so is a namespace into which something "
    "deploys that could not be judged."
)

MISSING_CONFIG_MAP = Rule(
    id="missing-config-map",
    title="a ConfigMap that is not there",
    severity=Severity.ERROR,
    docs=_DOCS.format(kind="a ConfigMap"),
    judge=_missing("ConfigMap", "add it, or mark the reference optional"),
)
MISSING_SECRET = Rule(
    id="missing-secret",
    title="a Secret that is not there",
    severity=Severity.WARNING,
    docs=_DOCS.format(kind="a Secret")
    + " A Secret counts as there if a SealedSecret, an ExternalSecret or a Certificate makes it.",
    judge=_missing("Secret", "seal it (kilde seal), or mark the reference optional"),
)
MISSING_SERVICE_ACCOUNT = Rule(
    id="missing-service-account",
    title="a ServiceAccount that is not there",
    severity=Severity.ERROR,
    docs=_DOCS.format(kind="a ServiceAccount"),
    judge=_missing("ServiceAccount", "add it"),
)
MISSING_CLAIM = Rule(
    id="missing-claim",
    title="a PersistentVolumeClaim that is not there",
    severity=Severity.ERROR,
    docs=_DOCS.format(kind="a PersistentVolumeClaim"),
    judge=_missing("PersistentVolumeClaim", "add it"),
)
