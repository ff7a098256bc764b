"""Admission policies in CEL: the ones that are stored are asked about each write, and change it or refuse it."""

from collections.abc import Iterator, Sequence
from functools import partial

from kilde.core.basics.values import Json, Object
from kilde.core.objects.patches.errors import FailedTest, PatchError
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.ref import split_api_version
from kilde.core.objects.selector import label_selector
from kilde.core.objects.typed.errors import TypingError
from kilde.core.objects.typed.go_decode import WrongType
from kilde.core.objects.typed.merging import merge
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.validation import check
from kilde.core.objects.unchanged import unmarked
from kilde.kubeapi.admission.requests import kind_of, request_of, worked_out
from kilde.kubeapi.aside import on_loop
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.resources import policies
from kilde.kubeapi.resources.policies import Denial, Mutation, MutationFailed
from kilde.kubeapi.world import World

_GROUP = "admissionregistration.k8s.io"
_VALIDATING = (f"validatingadmissionpolicies.{_GROUP}", f"validatingadmissionpolicybindings.{_GROUP}")
_MUTATING = (f"mutatingadmissionpolicies.{_GROUP}", f"mutatingadmissionpolicybindings.{_GROUP}")

Invoked = frozenset[tuple[str, ...]]


def mutate(
    world: World, call: Call, obj: Object, old: Object | None, before: Invoked | None = None
) -> tuple[Object, Invoked]:
    """The object with what policies change of it, each seeing what those before it have made; and which of them were asked.

    `before` are those that were asked already: only they are asked again, if they may be. 422 where a policy fails.
    """
    known, bindings = _stored(world, _MUTATING)
    asked: set[tuple[str, ...]] = set()
    if not bindings or before == frozenset():
        return obj, frozenset()
    obj = unmarked(obj)
    request = request_of(world, call, obj, old)
    found, unconfigured = policies.invocations(known, bindings, request, _params(world))
    faults = [(one, one.problem, "Forbidden") for one in unconfigured]
    for one in found:
        if before is not None and not (one.again and one.key in before):
            continue
        try:
            if not worked_out(world, call, request, ("wanted", one), partial(policies.wanted, one, request)):
                continue
        except MutationFailed as error:
            faults.append((one.bound, error.what, "Invalid"))
            continue
        asked.add(one.key)
        for place in range(one.size):
            try:
                change = worked_out(world, call, request, (place, one), partial(policies.mutation, one, place, request))
                obj = _mutated(world, call, obj, change)
            except MutationFailed as error:
                faults.append((one.bound, error.what, "Invalid"))
            request = request_of(world, call, obj, old)
    told = [(_told(one, why), reason) for one, why, reason in faults if one.fails]
    if told:
        causes = [{"message": message} for message, _ in told]
        raise ApiError(403, told[0][1], told[0][0], {**_about(call, obj).details(), "causes": causes})
    return obj, frozenset(asked)


def _told(one: policies.Bound, why: str) -> str:
    name = one.name if one.binding else f'"{one.policy["metadata"]["name"]}"'
    return f"policy {name} denied request: {why}"


def judge(world: World, call: Call, obj: Object | None, old: Object | None) -> None:
    """Refuses what a policy denies (the first says why), warns of what it warns of. `obj` is None for a DELETE."""
    known, bindings = _stored(world, _VALIDATING)
    if not bindings:
        return
    request = request_of(world, call, obj, old)
    judged = partial(policies.judge, known, bindings, request, on_loop(_params(world)))
    verdict = worked_out(world, call, request, (known, bindings), judged)
    for text in verdict.warnings:
        call.warn(text)
    if verdict.denials:
        raise _refusal(call, obj or {}, verdict.denials[0])


def _stored(world: World, resources: tuple[str, str]) -> tuple[list[Object], list[Object]]:
    """The policies and their bindings; nothing is read where there is no binding."""
    policy, binding = resources
    if not world.store.count(binding):
        return [], []
    return [each.object() for each in world.store.all(policy)], [each.object() for each in world.store.all(binding)]


def _params(world: World) -> policies.Params:
    def served(wanted: Object) -> policies.ParamKind | None:
        group, version = split_api_version(str(wanted.get("apiVersion") or ""))
        resource = world.kinds.catalog.of_kind(group, version, str(wanted.get("kind") or ""))
        kind = world.kinds.at(group, version, resource.plural) if resource else None
        if kind is None:
            return None
        return policies.ParamKind(kind.resource.namespaced, on_loop(partial(_found, world, kind)))

    return served


def _found(world: World, kind: Kind, namespace: str, reference: Object) -> Sequence[Object]:
    """The parameter objects that a binding names, by name or by selector."""
    if reference.get("name"):
        record = world.find(kind, namespace, str(reference["name"]))
        return () if record is None else (kind.presented(record),)
    selector = label_selector(reference.get("selector"))
    return [kind.presented(each) for each in world.store.all(kind.storage, namespace) if selector.matches(each.labels)]


def _mutated(world: World, call: Call, obj: Object, mutation: Mutation) -> Object:
    """The object with a policy's patch. MutationFailed where it does not apply; 500 where it makes what cannot be read."""
    kind = kind_of(world, mutation.resource)
    shown = obj if mutation.resource is call.kind.resource else call.kind.converted(obj, kind)
    made = _applied(kind, shown, mutation.patch) if mutation.applies else _patched(kind, shown, mutation.patch)
    made = dict(kind.defaulted({**made, "metadata": dict(made.get("metadata") or {})}))
    return made if mutation.resource is call.kind.resource else dict(kind.converted(made, call.kind))


def _patched(kind: Kind, shown: Object, patch: Json) -> Object:
    """What a JSON patch makes; of a built-in kind it must be of its type, and is read as strictly as can be."""
    try:
        made = json_patch(shown, patch)
    except FailedTest:
        return shown
    except PatchError as error:
        raise MutationFailed(f"JSON Patch: {error.what}") from error
    if not isinstance(made, dict) or kind.resource.custom:
        return made if isinstance(made, dict) else shown
    try:
        decoded = kind.decoded(made)
    except WrongType as error:
        raise failures.internal(error.what) from error
    if decoded.unknown:
        unknown = ", ".join(f'unknown field "{path}"' for path in decoded.unknown)
        raise failures.internal(f"strict decoding error: {unknown}")
    return decoded.object


def _applied(kind: Kind, shown: Object, patch: Json) -> Object:
    if not isinstance(patch, dict):
        return shown
    wanted = {**patch, "apiVersion": shown["apiVersion"], "kind": shown["kind"]}
    try:
        check(kind.node, wanted, duplicates=False)
    except TypingError as error:
        raise MutationFailed(
            f"error applying patch: failed to convert patch object to typed object: {error.what}"
        ) from error
    wholes = list(_wholes(kind.node, wanted, ""))
    if wholes:
        why = f"may not mutate atomic arrays, maps or structs: {', '.join(wholes)}"
        raise MutationFailed(f"error applying patch: invalid ApplyConfiguration: {why}")
    made = merge(kind.node, shown, wanted)
    return made if isinstance(made, dict) else shown


def _wholes(node: Node, value: Json, at: str) -> Iterator[str]:
    """Where a value has lists and maps that can only be set as a whole."""
    if isinstance(value, dict) and node.map is not None:
        if node.map.atomic:
            yield at
        for key, child in value.items():
            if key in node.map.fields:
                yield from _wholes(node.map.fields[key], child, f"{at}.{key}")
    elif isinstance(value, list) and node.list is not None:
        if node.list.atomic:
            yield at
        for index, child in enumerate(value):
            yield from _wholes(node.list.items, child, f"{at}[{index}]")


def _about(call: Call, obj: Object) -> Named:
    """What a refusal names: the object may have no name yet, and of a collection there is none."""
    meta = obj.get("metadata") or {}
    return call.kind.about(str(call.name or meta.get("name") or meta.get("generateName") or "Unknown"))


def _refusal(call: Call, obj: Object, denial: Denial) -> ApiError:
    """A refusal in the words of a forbidden request, with the code that the policy chose."""
    about = _about(call, obj)
    message = f'{about.qualified} "{about.name}" is forbidden: {denial.message}'
    return ApiError(denial.status, denial.reason, message, {**about.details(), "causes": [{"message": denial.message}]})
