"""From an ApplicationSet to the Applications it wants: generators, selectors, templates, patches. No request but through `outside`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.errors import KildeError, LimitExceeded
from kilde.core.basics.values import Object
from kilde.core.objects.selector import label_selector
from kilde.core.sets.application_set import FINALIZER, ApplicationSet
from kilde.core.sets.failures import GeneratorFailed, MissingParameter, within
from kilde.core.sets.generators import GENERATORS
from kilde.core.sets.generators.asking import Asking, Spec
from kilde.core.sets.outside import Outside
from kilde.core.sets.parameters import MOST, Parameters, filled, flattened
from kilde.core.sets.patching import patched
from kilde.core.sets.policy import ANYTHING, EVERY, SetsPolicy
from kilde.core.sets.templates import Filler

_DEEPEST = 2  # generators that nest: matrix or merge in matrix or merge, as Argo CD's types allow

PARAMETERS_FAILED = "ApplicationGenerationFromParamsError"
TEMPLATE_FAILED = "RenderTemplateParamsError"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What a generation gave. `error` is "" when it went well, `reason` then Argo CD's word for what failed.

    `empty`: the generators (by name and place) that gave nothing.
    """

    applications: tuple[Object, ...] = ()
    error: str = ""
    reason: str = ""
    empty: tuple[str, ...] = ()


def generate(owner: ApplicationSet, outside: Outside, policy: SetsPolicy = ANYTHING) -> Generated:
    """All or nothing, as in Argo CD: where one generator or template fails, nothing of the set is wanted or unwanted."""
    if owner.problems:
        return Generated(error="; ".join(owner.problems), reason=PARAMETERS_FAILED)
    try:
        _check_nesting(owner.generators)
        filler = Filler(go=owner.go, options=owner.go_options)
        asking = Asking(owner=owner, outside=outside, filler=filler, policy=policy, children=_children)
        given = [(entry, _of_entry(asking, entry, {})) for entry in owner.generators]
    except KildeError as error:
        return Generated(error=str(error), reason=PARAMETERS_FAILED)
    names = [
        f"generators[{i}].{'.'.join(_named(entry))}"
        for i, (entry, found) in enumerate(given)
        if not any(p for _, p in found)
    ]
    if sum(len(parameters) for _, found in given for _, parameters in found) > MOST:
        return Generated(error=f"the set makes more than {MOST} Applications: split it", reason=PARAMETERS_FAILED)
    try:
        made = tuple(
            _application(owner, filler, template, parameters)
            for _, found in given
            for template, several in found
            for parameters in several
        )
    except KildeError as error:
        return Generated(error=str(error), reason=TEMPLATE_FAILED)
    return Generated(applications=made, empty=tuple(names))


def requeue_after(generators: Any, *, unsaid: float = EVERY) -> float:
    """Seconds after which the set is looked at again, the shortest of its generators; 0 where none wants it.

    `unsaid`: what the installation says of those that take its word.
    """
    found = []
    for entry in generators:
        for name in _named(entry) if isinstance(entry, Mapping) else ():
            spec = entry[name] if isinstance(entry[name], Mapping) else {}
            if GENERATORS[name].nests:
                found.append(requeue_after(spec.get("generators") or (), unsaid=unsaid))
            else:
                written = spec.get("requeueAfterSeconds")
                own = GENERATORS[name].requeue
                found.append((unsaid if own is None else own) if written is None else float(written))
    return min((seconds for seconds in found if seconds > 0), default=0.0)


def git_urls(generators: Any) -> frozenset[str]:
    """The repositories that its git generators read, as far as no parameter decides it."""
    urls: set[str] = set()
    for entry in generators:
        if not isinstance(entry, Mapping):
            continue
        for name in _named(entry):
            spec = entry[name] if isinstance(entry[name], Mapping) else {}
            if GENERATORS[name].nests:
                urls |= git_urls(spec.get("generators") or ())
            elif name == "git":
                urls.add(str(spec.get("repoURL", "")))
    return frozenset(url for url in urls if url and "{{" not in url)


def uses(generators: Any, name: str) -> bool:
    """Whether a generator of that name is among them, nested ones too."""
    return any(
        name in entry
        or any(uses((entry.get(nest) or {}).get("generators") or (), name) for nest in ("matrix", "merge"))
        for entry in generators
        if isinstance(entry, Mapping)
    )


def _check_nesting(entries: Any, depth: int = 0) -> None:
    """LimitExceeded for more generators in each other than Argo CD's types hold."""
    for entry in entries if isinstance(entries, (list, tuple)) else ():
        for name in _named(entry) if isinstance(entry, Mapping) else ():
            if GENERATORS[name].nests and isinstance(entry[name], Mapping):
                if depth >= _DEEPEST:
                    raise LimitExceeded(f"generators that nest are nested deeper than {_DEEPEST} levels")
                _check_nesting(entry[name].get("generators"), depth + 1)


def _named(entry: Spec) -> list[str]:
    return [name for name in GENERATORS if entry.get(name) is not None]


def _of_entry(asking: Asking, entry: Spec, given: Parameters) -> list[tuple[Object, list[Parameters]]]:
    """For each generator of one entry its template and its parameter sets, those that the selector lets pass."""
    names = _named(entry)
    if not names:
        unknown = ", ".join(key for key in entry if key != "selector") or "none"
        raise GeneratorFailed(
            f"ApplicationSet {asking.owner.name} contains unrecognized generators: {unknown}",
            hint=f"known are {', '.join(GENERATORS)}",
        )
    with within("error parsing label selector"):
        selector = label_selector(entry["selector"]) if entry.get("selector") is not None else None
    out = []
    for name in names:
        if not isinstance(entry[name], Mapping):
            raise GeneratorFailed(f"the generator {name} is not an object")
        spec = _interpolated(asking.filler, entry[name], given) if given else entry[name]
        template = filled(dict(entry[name].get("template") or {}), dict(asking.owner.template))
        found = GENERATORS[name].give(spec, asking)
        kept = [each for each in found if selector is None or selector.matches(flattened(each))]
        out.append((template, kept))
    return out


def _children(asking: Asking, entry: Spec, given: Parameters) -> list[Parameters]:
    """The parameters of an entry of matrix or merge: of exactly one generator."""
    if not isinstance(entry, Mapping):
        raise GeneratorFailed("a nested generator is not an object")
    with within("child generator returned an error on parameter generation"):
        found = _of_entry(asking, entry, given)
    if len(found) > 1:
        raise GeneratorFailed("found more than one generator in matrix.Generators")
    return found[0][1]


def _interpolated(filler: Filler, spec: Spec, given: Parameters) -> Spec:
    """A generator's block with the parameters of the one before it; in `values` what is not known yet stays as it is."""
    values = spec.get("values")
    out: Object = filler.value({key: value for key, value in spec.items() if key != "values"}, given)
    if isinstance(values, Mapping):
        out["values"] = {key: _resolved(filler, str(value), given) for key, value in values.items()}
    return out


def _resolved(filler: Filler, value: str, given: Parameters) -> str:
    try:
        return filler.text(value, given, strict=True)
    except MissingParameter:
        return value


def _application(owner: ApplicationSet, filler: Filler, template: Object, parameters: Parameters) -> Object:
    written = template.get("metadata") or {}
    metadata = {key: written[key] for key in ("name", "labels", "annotations", "finalizers") if written.get(key)}
    body: Object = {"metadata": metadata, "spec": template.get("spec") or {}}
    if parameters:
        body = filler.value(body, parameters)
        if not owner.preserve_resources and not body["metadata"].get("finalizers"):
            body["metadata"]["finalizers"] = [FINALIZER]
    if owner.template_patch:
        body = patched(body, filler.text(owner.template_patch, parameters))
    body["metadata"]["namespace"] = owner.namespace
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **body}
