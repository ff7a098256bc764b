"""The status of ValidatingAdmissionPolicies: what their types say against them (upstream: controller/validatingadmissionpolicystatus)."""

from collections.abc import Callable

from kilde.kubeapi.controllers.metadata import generation_of, name_of
from kilde.kubeapi.controllers.steps import NOTHING, Apply, Controller, Key, Moment, Step, View, itself
from kilde.kubeapi.resources.policies.type_checks import warnings
from kilde.kubeapi.resources.policies.whole_schemas import Served

RESOURCE = "validatingadmissionpolicies.admissionregistration.k8s.io"
_MANAGER = "validatingadmissionpolicy-status"


def controller(served: Callable[[], Served]) -> Controller:
    """Checks each generation of a policy once, against what is `served` then."""

    def reduce(key: Key, view: View, moment: Moment) -> Step:
        policy = view.get(RESOURCE, *key)
        if policy is None or generation_of(policy) <= ((policy.get("status") or {}).get("observedGeneration") or 0):
            return NOTHING
        found = warnings(policy.get("spec") or {}, served(), int(moment.now % 1 * 1e9))
        told = {
            "observedGeneration": generation_of(policy),
            "typeChecking": {"expressionWarnings": found} if found else {},
        }
        body = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name_of(policy)},
            "status": told,
        }
        return Step((Apply(RESOURCE, body, "status"),))

    return Controller("validatingadmissionpolicy-status-controller", reduce, {RESOURCE: itself}, manager=_MANAGER)
