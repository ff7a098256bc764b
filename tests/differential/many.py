"""Steps about many objects of one kind: lists in parts and forms, watches of what has happened, and deletecollection."""

from urllib.parse import quote

from differential.kinds import Fuzzed
from differential.shapes import Dice, Object

CONTINUE, BEGIN = "<<continue>>", "<<begin>>"  # the last continue token of this list; the version before the sequence
_FORMS = (
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
)
_LABELS = (
    "app=a",
    "app in (a,b)",
    "!tier",
    "app!=a",
    "tier",
    "app=a,tier=b",
    "app notin (web)",
    "app=",
    "in (",
    "a=b=c",
)
_FIELDS = {
    "pods": ("spec.nodeName=", "status.phase=Pending", "spec.restartPolicy!=Always", "spec.serviceAccountName=default"),
    "secrets": ("type=Opaque", "type!=kubernetes.io/tls"),
    "services": ("spec.type=ClusterIP", "spec.clusterIP=None"),
    "replicasets": ("status.replicas=0",),
    "replicationcontrollers": ("status.replicas=1",),
    "jobs": ("status.successful=0", "status.successful!=1"),
    "nodes": ("spec.unschedulable=true",),
    "namespaces": ("status.phase=Active", "name=x"),
    "certificatesigningrequests": ("spec.signerName=example.com/s",),
}
_ANY_FIELDS = ("metadata.namespace={ns}", "metadata.name!=x", "metadata.name=y", "spec.nope=1", "metadata.name")


def selection(dice: Dice, kind: Fuzzed) -> list[str]:
    """Query terms that choose objects. Of a kind without namespaces only what is the sequence's own."""
    found = []
    if dice.maybe(0.35):
        found.append(f"labelSelector={quote(dice.one(*_LABELS))}")
    chosen = [] if kind.namespaced else [f"metadata.name={{ns}}-{dice.one('x', 'x', 'y')}"]
    if dice.maybe(0.3):
        chosen.append(dice.one(*_ANY_FIELDS, *_FIELDS.get(kind.plural, ()), *_FIELDS.get(kind.plural, ())))
    return [*found, f"fieldSelector={quote(','.join(chosen), safe='{}')}"] if chosen else found


def form(dice: Dice, plain: float = 0.7) -> str:
    """What an answer is asked to look like."""
    return "application/json" if dice.maybe(plain) else dice.one(*_FORMS)


def listed(dice: Dice, kind: Fuzzed) -> str:
    """The path of a list."""
    words = selection(dice, kind)
    if dice.maybe(0.3):
        words.append(f"limit={dice.one(1, 1, 2, 500, -1)}")
        if dice.maybe(0.4):
            words.append(f"continue={CONTINUE}")
    if dice.maybe(0.05):
        words.append(f"resourceVersionMatch={dice.one('Exact', 'NotOlderThan', 'X')}")
    if dice.maybe(0.1):
        words.append(f"resourceVersion={dice.one(BEGIN, '0', '')}")
    if dice.maybe(0.2):
        words.append(f"includeObject={dice.one('None', 'Object', 'Metadata', 'X')}")
    return _with(kind.path("{ns}"), words)


def watched(dice: Dice, kind: Fuzzed) -> str:
    """The path of a watch: of everything since the sequence began, or of what is there and then an end."""
    words = ["watch=true", *selection(dice, kind)]
    if dice.maybe(0.3):
        words += ["sendInitialEvents=true", "resourceVersionMatch=NotOlderThan", "allowWatchBookmarks=true"]
    else:
        words.append(f"resourceVersion={BEGIN}")
    return _with(kind.path("{ns}"), words)


def collection_deleted(dice: Dice, kind: Fuzzed) -> tuple[str, Object]:
    """(the path, the options)."""
    words = selection(dice, kind)
    if dice.maybe(0.1):
        words.append("dryRun=All")
    if dice.maybe(0.1):
        words.append(f"propagationPolicy={dice.one('Background', 'X')}")
    if dice.maybe(0.05):
        words.append("limit=1")
    options = dice.some(
        propagationPolicy=dice.odd(dice.one("Background", "Foreground", "Orphan"), "X"),
        gracePeriodSeconds=dice.odd(0, -1, 5),
    )
    if dice.maybe(0.05):
        options["preconditions"] = {"uid": "x"}
    return _with(kind.path("{ns}"), words), options


def _with(path: str, words: list[str]) -> str:
    return f"{path}?{'&'.join(words)}" if words else path
