"""Keiko's Iamrole: its state, told with the role's names."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import number, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge

_FAILED: Final = frozenset({"Error", "RolesMaxLimitReached", "PolicyNotAllowed", "RoleNameNotAvailable"})


def iam_role(obj: Object) -> Health:
    status = part(obj, "status")
    name, arn, number_of = (text(status, key) or "<none>" for key in ("roleName", "roleARN", "roleID"))
    state = text(status, "state")
    if state == "Ready":
        return healthy(f"Role '{name}' exists with ARN '{arn}' and ID '{number_of}'.")
    if state not in _FAILED:
        return progressing("Waiting for Iamrole to be reconciled")
    tries = number(status, "retryCount")
    retry = f"(retry {tries}) " if tries > 0 else ""
    reason = status.get("errorDescription")
    error = f" Reconciliation error was: {reason}" if isinstance(reason, str) else ""
    return degraded(
        f"Failed to reconcile the Iamrole {retry}for role '{name}' with ARN '{arn}' and ID '{number_of}'.{error}"
    )


KINDS: Final[Mapping[str, Judge]] = {"Iamrole": iam_role}
