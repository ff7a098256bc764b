"""Admission policies in CEL: what ValidatingAdmissionPolicies deny and MutatingAdmissionPolicies change.

`judge(policies, bindings, request, params)` gives a `Verdict`; `invocations(policies, bindings, request, params)` those that mutate.
"""

from kilde.kubeapi.resources.policies.matching import is_about
from kilde.kubeapi.resources.policies.mutating import Mutation, MutationFailed, invocations, mutation, wanted
from kilde.kubeapi.resources.policies.request import Request
from kilde.kubeapi.resources.policies.validating import Denial, Params, Verdict, conditions, judge

__all__ = [
    "Denial",
    "Mutation",
    "MutationFailed",
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
