"""Bindings: which policies are asked about a request, for which parameter objects (apiserver, policy/generic/policy_dispatcher.go)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object
from kilde.core.objects.ref import split_api_version
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.policies.matching import matched
from kilde.kubeapi.resources.policies.request import Request

_ACROSS = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
_OF_CLUSTER = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
_NONE = "no params found for policy binding with `Deny` parameterNotFoundAction"


@dataclass(frozen=True)
class ParamKind:
    """A kind of parameter objects that is served. `find` gives those of a namespace ("": of the cluster) that a paramRef is for."""

    namespaced: bool
    find: Callable[[str, Object], Sequence[Object]]


Params = Callable[[Object], ParamKind | None]
"""What a policy's `paramKind` means; None if nothing is served under that name."""


@dataclass(frozen=True)
class Bound:
    """A policy that is about a request: by which binding, as which resource it sees that, and with which parameters.

    `problem` is why it cannot be asked; without a binding it is the policy's own.
    """

    policy: Object
    binding: Object | None
    resource: Resource
    params: Sequence[Object | None] = ()
    problem: str = ""

    @property
    def fails(self) -> bool:
        """Whether a problem is a denial."""
        return bool(self.policy["spec"].get("failurePolicy") != "Ignore")

    @property
    def name(self) -> str:
        """How refusals begin."""
        by = f" with binding '{self.binding['metadata']['name']}'" if self.binding else ""
        return f"'{self.policy['metadata']['name']}'{by}"


class _NotConfigured(KildeError):
    """A binding whose parameters cannot be told."""

    code = "policy-not-configured"


def bound(policies: Iterable[Object], bindings: Iterable[Object], request: Request, params: Params) -> Iterator[Bound]:
    """The policies that are bound and about the request; all bindings of one come before those of the next, as on a real server."""
    known = {policy["metadata"]["name"]: policy for policy in policies}
    for name, own in _together(bindings).items():
        policy = known.get(name)
        resource = policy and matched(policy["spec"].get("matchConstraints"), request, needs_rules=True)
        if policy and resource:
            yield from _bound(policy, own, resource, request, params)


def _together(bindings: Iterable[Object]) -> dict[str, list[Object]]:
    groups: dict[str, list[Object]] = {}
    for binding in bindings:
        groups.setdefault(binding["spec"].get("policyName", ""), []).append(binding)
    return groups


def _bound(
    policy: Object, bindings: Iterable[Object], resource: Resource, request: Request, params: Params
) -> Iterator[Bound]:
    wanted = policy["spec"].get("paramKind")
    kind = params(wanted) if wanted else None
    if wanted and kind is None:
        group, version = split_api_version(str(wanted.get("apiVersion") or ""))
        told = f"'{group}/{version}, Kind={wanted.get('kind') or ''}'"
        problem = f"failed to configure policy: failed to find resource referenced by paramKind: {told}"
        yield Bound(policy, None, resource, problem=problem)
        return
    for binding in bindings:
        if not matched(binding["spec"].get("matchResources"), request, needs_rules=False):
            continue
        try:
            yield Bound(policy, binding, resource, _params(kind, binding["spec"].get("paramRef"), request))
        except _NotConfigured as error:
            yield Bound(policy, binding, resource, problem=f"failed to configure binding: {error.what}")


def _params(kind: ParamKind | None, reference: Object | None, request: Request) -> Sequence[Object | None]:
    """The parameter objects that a binding names, by name or by selector; one None where it, or its policy, wants none."""
    if kind is None or reference is None:
        return (None,)
    namespace = str(reference.get("namespace") or "")
    if kind.namespaced:
        namespace = namespace or request.namespace_name
        if not namespace:
            raise _NotConfigured(_ACROSS)
    elif namespace:
        raise _NotConfigured(_OF_CLUSTER)
    found = kind.find(namespace, reference)
    if not found and reference.get("parameterNotFoundAction") == "Deny":
        raise _NotConfigured(_NONE)
    return found
