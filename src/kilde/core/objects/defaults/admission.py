"""Defaults of webhook configurations and admission policies."""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_ADMISSION = "io.k8s.api.admissionregistration.v1."


def _matching(value: Object) -> None:
    fill(value, "matchPolicy", "Equivalent")
    fill(value, "namespaceSelector", {})
    fill(value, "objectSelector", {})


def _validating(value: Object) -> None:
    _matching(value)
    fill(value, "failurePolicy", "Fail")
    fill(value, "timeoutSeconds", 10)


def _mutating(value: Object) -> None:
    _validating(value)
    fill(value, "reinvocationPolicy", "Never")


def _rule(value: Object) -> None:
    fill(value, "scope", "*")


def _service(value: Object) -> None:
    fill(value, "port", 443)


def _policy(value: Object) -> None:
    fill(value, "failurePolicy", "Fail")


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _ADMISSION + "ValidatingWebhook": _validating,
    _ADMISSION + "MutatingWebhook": _mutating,
    _ADMISSION + "RuleWithOperations": _rule,
    _ADMISSION + "NamedRuleWithOperations": _rule,
    _ADMISSION + "ServiceReference": _service,
    _ADMISSION + "MatchResources": _matching,
    _ADMISSION + "ValidatingAdmissionPolicySpec": _policy,
    _ADMISSION + "MutatingAdmissionPolicySpec": _policy,
}
