"""Admission policies in CEL: what ValidatingAdmissionPolicies deny and MutatingAdmissionPolicies change.

`judge(policies, bindings, request, params)` gives a `Verdict`; `invocations(policies, bindings, request, params)` those that mutate.
"""

from kilde.kubeapi.resources.policies.bindings import Bound, ParamKind, Params
from kilde.kubeapi.resources.policies.matching import is_about
from kilde.kubeapi.resources.policies.mutating import Mutation, MutationFailed, invocations, mutation, wanted
from kilde.kubeapi.resources.policies.request import Request
from kilde.kubeapi.resources.policies.validating import Denial, Verdict, conditions, judge

__all__ = [
    "Bound",
    "Denial",
    "Mutation",
    "MutationFailed",
    "ParamKind",
    "Params",
    "Request",
    "Verdict",
    "conditions",
    "invocations",
    "is_about",
    "judge",
    "mutation",
    "wanted",
]
