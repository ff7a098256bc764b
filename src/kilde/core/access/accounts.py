"""Accounts: the service account that the writes of an application are made as (AppProject `destinationServiceAccounts`).

The rules and words are Argo CD's (application.sync.impersonation): the first entry whose server and namespace fit; where none does, a sync
fails, unless `argocd-cm` says that it may go on with the controller's own rights.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.access.globs import is_denial, matches
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import Reader

_ENABLED = "application.sync.impersonation.enabled"
_ENFORCED = "application.sync.impersonation.enforced"
_NOT_IN_A_NAME = "!*[]{}\\/"


@dataclass(frozen=True, slots=True)
class Account:
    """Which account destinations are written as: server and namespace as globs; `name` may be `namespace:name`."""

    server: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Impersonation:
    """What `argocd-cm` says about it."""

    enabled: bool = False
    enforced: bool = True


def read_impersonation(data: Mapping[str, Any]) -> Impersonation:
    """From the data of `argocd-cm`."""
    return Impersonation(enabled=data.get(_ENABLED) == "true", enforced=data.get(_ENFORCED) != "false")


def read_accounts(at: Reader) -> tuple[Account, ...]:
    """The field of a project's spec."""
    return tuple(
        Account(item.text("server"), item.text("namespace"), item.text("defaultServiceAccount"))
        for item in at.items("destinationServiceAccounts")
    )


def account_for(accounts: Iterable[Account], server: str, namespace: str, app_namespace: str) -> str:
    """The user that an account is to the API server; "" where none fits. InvalidInput for a name that is none."""
    for account in accounts:
        if not (_fits(account.server, server) and _fits(account.namespace, namespace)):
            continue
        if not account.name.strip() or any(sign in account.name for sign in _NOT_IN_A_NAME):
            raise InvalidInput(
                "failed to derive service account to impersonate: "
                f"default service account contains invalid chars '{account.name}'"
            )
        own = "" if ":" in account.name else f"{namespace or app_namespace}:"
        return f"system:serviceaccount:{own}{account.name}"
    return ""


def no_account(server: str, namespace: str) -> InvalidInput:
    """Why nothing is written where none fits and one is demanded."""
    return InvalidInput(f"no matching service account found for destination server {server} and namespace {namespace}")


def _fits(pattern: str, text: str) -> bool:
    return not is_denial(pattern) and matches(pattern, text)
