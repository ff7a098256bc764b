"""Whom the writes of an application are made as."""

import pytest

from kilde.core.access.accounts import Account, Impersonation, account_for, read_impersonation
from kilde.core.access.project import read_project
from kilde.core.basics.errors import InvalidInput

HERE = "https://kubernetes.default.svc"


def whom(*accounts: Account, namespace: str = "shop") -> str:
    return account_for(accounts, HERE, namespace, "argocd")


@pytest.mark.parametrize(
    ("accounts", "user"),
    [
        ([Account(HERE, "shop", "deployer")], "system:serviceaccount:shop:deployer"),
        ([Account("*", "*", "ops:deployer")], "system:serviceaccount:ops:deployer"),
        (
            [Account("*", "other", "a"), Account("*", "sh*", "b"), Account("*", "shop", "c")],
            "system:serviceaccount:shop:b",
        ),
        ([Account("https://elsewhere", "*", "a")], ""),
        ([Account("*", "!shop", "a")], ""),
        ([Account("*", "!other", "a")], ""),  # there are no denials here
        ([], ""),
    ],
)
def test_the_first_that_fits(accounts: list[Account], user: str) -> None:
    assert whom(*accounts) == user


def test_without_a_namespace_the_account_is_beside_the_application() -> None:
    assert whom(Account("*", "*", "deployer"), namespace="") == "system:serviceaccount:argocd:deployer"


@pytest.mark.parametrize("name", ["", "  ", "a*", "{a}", "../a"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        whom(Account("*", "*", name))
    assert caught.value.what == (
        f"failed to derive service account to impersonate: default service account contains invalid chars '{name}'"
    )


def test_it_is_off_until_argocd_cm_says_so_and_strict_then() -> None:
    at = "application.sync.impersonation."
    assert read_impersonation({}) == Impersonation(enabled=False, enforced=True)
    assert read_impersonation({f"{at}enabled": "true"}) == Impersonation(enabled=True)
    assert read_impersonation({f"{at}enabled": "yes", f"{at}enforced": "false"}) == Impersonation(enforced=False)


def test_a_project_lists_them() -> None:
    entry = {"server": HERE, "namespace": "shop", "defaultServiceAccount": "deployer"}
    project = read_project(
        {"metadata": {"name": "team"}, "spec": {"destinationServiceAccounts": [entry, {"server": 7}]}}
    )
    assert project.accounts == (Account(HERE, "shop", "deployer"), Account("", "", ""))
    assert project.problems == ("spec.destinationServiceAccounts[1].server: must be a string, not a number",)
