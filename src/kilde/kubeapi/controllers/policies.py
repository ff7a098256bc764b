"""The status of ValidatingAdmissionPolicies: that they were looked at (upstream: controller/validatingadmissionpolicystatus)."""

from kilde.kubeapi.controllers.metadata import deleting, generation_of, with_status
from kilde.kubeapi.controllers.steps import NOTHING, Controller, Key, Moment, Step, Update, View, itself

RESOURCE = "validatingadmissionpolicies.admissionregistration.k8s.io"


def controller() -> Controller:
    """Tells which generation was looked at; what is wrong with types in an expression, it does not know."""
    return Controller("validatingadmissionpolicy-status-controller", _reduce, {RESOURCE: itself})


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    policy = view.get(RESOURCE, *key)
    if policy is None or deleting(policy):
        return NOTHING
    old = policy.get("status") or {}
    if old.get("observedGeneration") == generation_of(policy):
        return NOTHING
    status = {**old, "observedGeneration": generation_of(policy), "typeChecking": {}}
    return Step((Update(RESOURCE, with_status(policy, status), "status"),))
