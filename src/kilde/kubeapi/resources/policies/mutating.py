"""MutatingAdmissionPolicies: `mutations` gives the patches they make of a request, in order.

Their expressions build objects as `Object{spec: Object.spec{…}}` and patches as `JSONPatch{op: …}`; our engine has no such types, so these
literals are rewritten to maps before they are compiled: the values are the same.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Json, Object
from kilde.core.objects.cel import BadExpression, EvaluationFailed, available
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.policies.request import Request
from kilde.kubeapi.resources.policies.validating import Params, Scope, bound_as, is_wanted

_TOKEN = re.compile(
    r"""(?P<text>r?"(?:[^"\\]|\\.)*"|r?'(?:[^'\\]|\\.)*')|(?P<open>(?:Object(?:\.\w+)*|JSONPatch)\s*\{)|(?P<brace>[{}])"""
    r"""|(?P<field>[A-Za-z_]\w*)(?P<colon>\s*:)|(?P<word>[A-Za-z_]\w*)|(?P<other>.)""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Mutation:
    """One patch: an apply configuration (`applies`) to merge, or the operations of a JSON patch, of the object as `resource` shows it."""

    patch: Json
    applies: bool
    resource: Resource


class MutationFailed(KildeError):
    """A policy that must not fail has failed; `what` is what the request is denied with."""

    code = "mutation-failed"


def mutations(
    policies: Iterable[Object], bindings: Iterable[Object], request: Request, params: Params
) -> Iterator[Mutation]:
    """The patches of every policy that is bound and about the request. The caller applies one before it asks for the next.

    MutationFailed where a policy with failurePolicy Fail cannot be evaluated. Without a CEL engine there are none.
    """
    if not available():
        return
    known = {policy["metadata"]["name"]: policy for policy in policies}
    for binding in bindings:
        spec = binding.get("spec") or {}
        policy = known.get(spec.get("policyName", ""))
        resource = policy and bound_as(policy, binding, request)
        if policy and resource:
            yield from _of(policy, binding, request.shown_as(resource), params)


def _of(policy: Object, binding: Object, request: Request, params: Params) -> Iterator[Mutation]:
    spec, reference = policy["spec"], (binding.get("spec") or {}).get("paramRef")
    kind = spec.get("paramKind")
    found = params(kind, reference, request) if kind is not None and reference is not None else (None,)
    for param in found:
        scope = Scope(request, param)
        if not is_wanted(spec, scope):
            continue
        scope.define(spec.get("variables") or ())
        for mutation in spec.get("mutations") or ():
            applies = mutation.get("patchType") == "ApplyConfiguration"
            source = mutation.get("applyConfiguration" if applies else "jsonPatch") or {}
            try:
                patch = scope.value(as_maps(str(source.get("expression", ""))))
                yield Mutation(patch, applies, request.shown or request.resource)
            except (BadExpression, EvaluationFailed) as error:
                if spec.get("failurePolicy") != "Ignore":
                    who = f"policy '{policy['metadata']['name']}' with binding '{binding['metadata']['name']}'"
                    raise MutationFailed(f"{who} denied request: {error.what}") from error


def as_maps(text: str) -> str:
    """The expression with its object literals written as maps: `Object{a: 1}` → `{"a": 1}`."""
    out: list[str] = []
    literals: list[bool] = []  # for each open brace, whether it is an object literal's
    begins = False  # whether a field's name may stand here
    for token in _TOKEN.finditer(text):
        found = token.group()
        if token.lastgroup == "open" or token.group("open"):
            literals.append(True)
            found, begins = "{", True
        elif token.group("brace"):
            if found == "{":
                literals.append(False)
            elif literals:
                literals.pop()
            begins = False
        elif token.group("field") and begins and literals and literals[-1]:
            found, begins = f'"{token.group("field")}"{token.group("colon")}', False
        elif found == ",":
            begins = bool(literals) and literals[-1]
        elif not found.isspace():
            begins = False
        out.append(found)
    return "".join(out)
