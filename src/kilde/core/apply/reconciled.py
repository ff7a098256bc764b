"""What kubectl says of roles and bindings that it reconciles before it applies them, as a client-side sync of Argo CD does."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from kilde.core.apply.outcome import kind_word
from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef

_GROUP: Final = "rbac.authorization.k8s.io"
_ROLES: Final = ("Role", "ClusterRole")
_KINDS: Final = (*_ROLES, "RoleBinding", "ClusterRoleBinding")
_RULE: Final = {
    "Verbs": "verbs",
    "APIGroups": "apiGroups",
    "Resources": "resources",
    "ResourceNames": "resourceNames",
    "NonResourceURLs": "nonResourceURLs",
}
_SUBJECT: Final = {"Kind": "kind", "APIGroup": "apiGroup", "Name": "name", "Namespace": "namespace"}
_OPTED_OUT: Final = ", but object opted out (rbac.authorization.kubernetes.io/autoupdate: false)"
_UNMARKED: Final = (
    ". Warning: resource {}s/{} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by  apply."
    "  apply should only be used on resources created declaratively by either  create --save-config or  apply."
    " The missing annotation will be patched automatically."
)
Rule = Mapping[str, Sequence[str] | None]


def is_reconciled(ref: ObjectRef) -> bool:
    """Whether kubectl reconciles this kind."""
    return ref.group == _GROUP and ref.kind in _KINDS


def is_remade(live: Object | None) -> bool:
    """Whether reconciling deletes a binding and makes it anew where its role is another: unless it opted out."""
    return live is not None and not _opted_out(live)


def reconciled_words(ref: ObjectRef, wanted: Object, live: Object | None, verb: str, *, dry_run: bool) -> str:
    """`role.rbac.authorization.k8s.io/r reconciled…configured`; `verb`: what the apply did (`created`, `configured`, `unchanged`)."""
    word, aside = kind_word(ref), " (dry run)" if dry_run else ""
    needed, missing = _needed(ref.kind, wanted, live)
    text = f"{word} reconciled{aside}"
    if needed:
        told = _OPTED_OUT if live is not None and _opted_out(live) else ""
        shown = _listed("rules", missing, _RULE) if ref.kind in _ROLES else _listed("subjects", missing, _SUBJECT)
        text += f". reconciliation required {needed}{told}{shown}"
    if needed and live is not None:
        verb = "configured"
    if needed not in ("create", "recreate") or dry_run:
        return f"{text}{word} {verb}{aside}"
    return f"{text}{word} configured{_UNMARKED.format(ref.kind.lower(), ref.name)}"  # reconciling has made it


def _needed(kind: str, wanted: Object, live: Object | None) -> tuple[str, list[Any]]:
    """Which write reconciling needs, if any, and which rules or subjects are missing; it takes none away."""
    part = "rules" if kind in _ROLES else "subjects"
    asked = list(wanted.get(part) or ())
    if live is None:
        return "create", asked
    if kind not in _ROLES and _role_of(wanted) != _role_of(live):
        return "recreate", []
    there = list(live.get(part) or ())
    missing = _uncovered(there, asked) if kind in _ROLES else _unnamed(there, asked)
    if missing or _marks_differ(wanted, live) or (kind == "ClusterRole" and _gathers_otherwise(wanted, live)):
        return "update", missing
    return "", []


def _role_of(binding: Object) -> tuple[str, ...]:
    role = binding.get("roleRef") or {}
    return tuple(role.get(key) or "" for key in ("apiGroup", "kind", "name"))


def _opted_out(live: Object) -> bool:
    annotations = (live.get("metadata") or {}).get("annotations") or {}
    return bool(annotations.get("rbac.authorization.kubernetes.io/autoupdate") == "false")


def _marks_differ(wanted: Object, live: Object) -> bool:
    """Whether a label or an annotation is missing; another value is left to the apply."""
    ours, theirs = wanted.get("metadata") or {}, live.get("metadata") or {}
    return any(set(ours.get(part) or ()) - set(theirs.get(part) or ()) for part in ("labels", "annotations"))


def _gathers_otherwise(wanted: Object, live: Object) -> bool:
    ours, theirs = wanted.get("aggregationRule"), live.get("aggregationRule")
    if ours is None:
        return theirs is not None
    there = (theirs or {}).get("clusterRoleSelectors") or ()
    return any(selector not in there for selector in ours.get("clusterRoleSelectors") or ())


def _unnamed(there: Iterable[Mapping[str, str]], asked: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The subjects that are not there, each once."""

    def plain(subject: Mapping[str, str]) -> dict[str, str]:
        return {key: subject.get(key) or "" for key in _SUBJECT.values()}

    known = [plain(subject) for subject in there]
    missing: list[dict[str, str]] = []
    for subject in map(plain, asked):
        if subject not in known and subject not in missing:
            missing.append(subject)
    return missing


def _uncovered(there: Sequence[Rule], asked: Iterable[Rule]) -> list[Rule]:
    """What no rule that is there permits, in the smallest rules: one verb of one resource, or of one URL."""
    return [small for rule in asked for small in _smallest(rule) if not any(_covers(one, small) for one in there)]


def _smallest(rule: Rule) -> Iterator[Rule]:
    names: list[Rule] = [{"resourceNames": [name]} for name in rule.get("resourceNames") or ()] or [{}]
    verbs = rule.get("verbs") or ()
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                for named in names:
                    yield {"apiGroups": [group], "resources": [resource], "verbs": [verb], **named}
    for url in rule.get("nonResourceURLs") or ():
        for verb in verbs:
            yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(rule: Rule, small: Rule) -> bool:
    def has(part: str) -> Sequence[str]:
        return rule.get(part) or ()

    def all_in(part: str) -> bool:
        return "*" in has(part) or set(small.get(part) or ()) <= set(has(part))

    return (
        all_in("verbs")
        and all_in("apiGroups")
        and (
            all_in("resources") or all(_resource_covered(has("resources"), one) for one in small.get("resources") or ())
        )
        and (not has("resourceNames") or bool(set(small.get("resourceNames") or ()) & set(has("resourceNames"))))
        and all(_url_covered(has("nonResourceURLs"), url) for url in small.get("nonResourceURLs") or ())
    )


def _resource_covered(there: Sequence[str], resource: str) -> bool:
    _, slash, below = resource.partition("/")
    return resource in there or (bool(slash) and f"*/{below}" in there)


def _url_covered(there: Sequence[str], url: str) -> bool:
    return any(url == one or (one.endswith("*") and url.startswith(one.rstrip("*"))) for one in there)


def _listed(what: str, missing: Iterable[Mapping[str, Any]], fields: Mapping[str, str]) -> str:
    """The lines of what was added, each printed as Go prints a struct."""
    lines = [
        f"\n\t\t{{{' '.join(f'{shown}:{_go(one.get(key), what)}' for shown, key in fields.items())}}}"
        for one in missing
    ]
    return "".join([f"\n\tmissing {what} added:", *lines]) if lines else ""


def _go(value: Any, what: str) -> str:
    return f"[{' '.join(value or ())}]" if what == "rules" else value or ""
