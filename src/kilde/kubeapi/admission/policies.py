"""Admission policies in CEL: the ones that are stored are asked about each write, and change it or refuse it."""

from collections.abc import Sequence
from functools import partial

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.patches.errors import PatchError
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.ref import split_api_version
from kilde.core.objects.selector import label_selector
from kilde.core.objects.typed.merging import merge
from kilde.core.objects.unchanged import unmarked
from kilde.kubeapi.admission.requests import kind_of, request_of, worked_out
from kilde.kubeapi.aside import on_loop
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.resources import policies
from kilde.kubeapi.resources.policies import Denial, Mutation, MutationFailed, Request
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
    try:
        for one in policies.invocations(known, bindings, request, _params(world)):
            if before is not None and not (one.again and one.key in before):
                continue
            if not worked_out(world, call, request, ("wanted", one), partial(policies.wanted, one, request)):
                continue
            asked.add(one.key)
            for place in range(one.size):
                change = worked_out(world, call, request, (place, one), partial(policies.mutation, one, place, request))
                if change is not None:
                    obj = _mutated(world, call, obj, change)
                    request = request_of(world, call, obj, old)
    except MutationFailed as error:
        raise _refusal(call, obj, Denial(str(error))) from error
    return obj, frozenset(asked)


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
        raise _refusal(call, obj or old or {}, verdict.denials[0])


def _stored(world: World, resources: tuple[str, str]) -> tuple[list[Object], list[Object]]:
    """The policies and their bindings; nothing is read where there is no binding."""
    policy, binding = resources
    if not world.store.count(binding):
        return [], []
    return [each.object() for each in world.store.all(policy)], [each.object() for each in world.store.all(binding)]


def _params(world: World) -> policies.Params:
    def find(kind: Object, reference: Object, request: Request) -> Sequence[Object]:
        """The parameter objects that a binding names, by name or by selector."""
        group, version = split_api_version(str(kind.get("apiVersion") or ""))
        resource = world.kinds.catalog.of_kind(group, version, str(kind.get("kind") or ""))
        found = world.kinds.at(group, version, resource.plural) if resource else None
        if found is None:
            return ()
        own = ((request.namespace or {}).get("metadata") or {}).get("name", "")
        namespace = str(reference.get("namespace") or own) if found.resource.namespaced else ""
        if reference.get("name"):
            record = world.find(found, namespace, str(reference["name"]))
            return () if record is None else (found.presented(record),)
        selector = label_selector(reference.get("selector"))
        return [
            found.presented(each) for each in world.store.all(found.storage, namespace) if selector.matches(each.labels)
        ]

    return find


def _mutated(world: World, call: Call, obj: Object, mutation: Mutation) -> Object:
    kind = kind_of(world, mutation.resource)
    shown = obj if mutation.resource is call.kind.resource else call.kind.converted(obj, kind)
    try:
        if not mutation.applies:
            made = json_patch(shown, mutation.patch)
        elif isinstance(mutation.patch, dict):
            head = {"apiVersion": shown["apiVersion"], "kind": shown["kind"]}
            made = merge(kind.node, shown, {**mutation.patch, **head})
        else:
            made = shown
    except (PatchError, InvalidInput) as error:
        raise _refusal(call, obj, Denial(error.what)) from error
    if not isinstance(made, dict):
        return obj
    made = dict(kind.defaulted({**made, "metadata": dict(made.get("metadata") or {})}))
    return made if shown is obj else dict(kind.converted(made, call.kind))


def _refusal(call: Call, obj: Object, denial: Denial) -> ApiError:
    """A refusal in the words of a forbidden request, with the code that the policy chose."""
    about = call.kind.about(call.name or str((obj.get("metadata") or {}).get("name") or ""))
    message = f'{about.qualified} "{about.name}" is forbidden: {denial.message}'
    return ApiError(denial.status, denial.reason, message, {**about.details(), "causes": [{"message": denial.message}]})
