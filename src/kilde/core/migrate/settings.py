"""Argo CD's settings: which keys of its ConfigMaps Kilde obeys, and what becomes of the others."""

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.migrate.model import Mapped, Note

_OBEYED = {
    "argocd-cm": (
        "application.resourceTrackingMethod",
        "application.instanceLabelKey",
        "installationID",
        "application.sync.impersonation.*",
        "resource.customizations",
        "resource.customizations.actions.*",
        "resource.customizations.health.*",
        "resource.customizations.ignoreDifferences.*",
        "helm.valuesFileSchemes",
        "cluster.inClusterEnabled",
        "resource.exclusions",
        "resource.inclusions",
        "kustomize.buildOptions*",
        "kustomize.path.*",
        "kustomize.version.*",
    ),
    "argocd-cmd-params-cm": (
        "application.namespaces",
        "applicationsetcontroller.policy",
        "applicationsetcontroller.enable.policy.override",
        "applicationsetcontroller.allowed.scm.providers",
        "applicationsetcontroller.enable.scm.providers",
        "applicationsetcontroller.enable.tokenref.strict.mode",
        "applicationsetcontroller.enable.new.git.file.globbing",
        "applicationsetcontroller.enable.progressive.syncs",
        "applicationsetcontroller.dryrun",
        "applicationsetcontroller.namespaces",
        "applicationsetcontroller.status.max.resources.count",
        "applicationsetcontroller.requeue.after",
        "applicationsetcontroller.scm.root.ca.path",
        "applicationsetcontroller.enable.git.submodule",
        "applicationsetcontroller.global.preserved.*",
    ),
}
_NEEDLESS = (
    "timeout.*",
    "resource.customizations.ignoreResourceUpdates.*",
    "resource.ignoreResourceUpdatesEnabled",
    "resource.respectRBAC",
    "controller.*",
    "reposerver.*",
    "redis.*",
    "server.*",
    "commitserver.*",
    "log.*",
    "otlp.*",
    "repo.server",
    "applicationsetcontroller.*",
    "dexserver.*",
    "notificationscontroller.*",
)
_PEOPLE = (
    "accounts.*",
    "admin.*",
    "dex.*",
    "oidc.*",
    "url",
    "additionalUrls",
    "users.*",
    "statusbadge.*",
    "ui.*",
    "help.*",
    "ga.*",
)
_PEOPLES_NOTE = "of Argo CD's own web pages: who may do what here is the cluster's RBAC on Applications"
_POLL = ("timeout.reconciliation", "timeout.reconciliation.jitter")
_READ_ELSEWHERE = ("argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm", "argocd-gpg-keys-cm")


def settings(config: Mapping[str, Mapping[str, Any]]) -> tuple[list[Mapped], list[Note]]:
    """What is read as it is, and what is not: keys by name, never their values."""
    mapped, notes = [], []
    for name in sorted(config):
        data = config[name]
        if not data:
            continue
        if name in _READ_ELSEWHERE:
            mapped.append(Mapped(what=f"ConfigMap {name}", becomes="read as it is"))
        elif name == "argocd-rbac-cm":
            text = "policies of Argo CD's own API: Kilde has none, who may write Applications may sync them"
            notes.append(Note(kind="unmapped", about=f"ConfigMap {name}", text=text))
        elif name == "argocd-notifications-cm":
            text = "notifications: Kilde sends none; Argo CD's notifications controller may go on, it reads the same statuses"
            notes.append(Note(kind="unmapped", about=f"ConfigMap {name}", text=text))
        elif name in _OBEYED:
            obeyed = [key for key in data if _fits(key, _OBEYED[name])]
            if obeyed:
                mapped.append(Mapped(what=f"ConfigMap {name}", becomes=f"read as it is: {_names(obeyed)}"))
            notes += _not_obeyed(name, [key for key in data if key not in obeyed])
    return mapped, notes


def _not_obeyed(name: str, keys: list[str]) -> list[Note]:
    about, notes = f"ConfigMap {name}", []
    people = [key for key in keys if _fits(key, _PEOPLE)]
    if people:
        notes.append(Note(kind="unmapped", about=about, text=f"{_names(people)}: {_PEOPLES_NOTE}"))
    polls = [key for key in keys if key in _POLL]
    if polls:
        text = f"{_names(polls)}: Kilde asks Git every 120 s unless told otherwise"
        notes.append(Note(kind="differs", about=about, text=text, keep="kilde up --poll"))
    needless = [key for key in keys if _fits(key, _NEEDLESS) and key not in (*polls, *people)]
    if needless:
        text = f"{_names(needless)}: how Argo CD's own processes run, of no meaning here"
        notes.append(Note(kind="differs", about=about, text=text))
    rest = [key for key in keys if key not in (*people, *polls, *needless)]
    if rest:
        notes.append(Note(kind="person", about=about, text=f"{_names(rest)}: not read by Kilde"))
    return notes


def _fits(key: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)


def _names(keys: Iterable[str], most: int = 8) -> str:
    found = sorted(keys)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
