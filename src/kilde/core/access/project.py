"""Project: what the applications of a team may do, parsed once from an AppProject (`argoproj.io/v1alpha1`).

The rules are Argo CD's (app_project_types.go): a denial in a list wins; cluster-scoped kinds are forbidden unless listed, namespaced ones
permitted unless a list says otherwise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.access.accounts import Account, read_accounts
from kilde.core.access.globs import is_denial, matches
from kilde.core.access.namespaces import NONE, Namespaces
from kilde.core.access.orphans import OrphanRules, read_orphans
from kilde.core.access.roles import Role, read_roles
from kilde.core.access.signatures import SigningRules
from kilde.core.access.signatures import read_rules as read_signing
from kilde.core.access.windows import WINDOW_KINDS, Window, read_window
from kilde.core.basics.reading import Reader
from kilde.core.basics.values import Object
from kilde.core.plan.budget import Budget, read_budget
from kilde.core.source.repository_url import normalized

REMOTE_BASES = "kilde.dev/remote-bases"
DELETION_BUDGET = "kilde.dev/deletion-budget"
"""On an AppProject: of its applications that set none. On an Application: its own."""
DELETION_CAP = "kilde.dev/deletion-budget-cap"
"""On an AppProject: what no application of it may go beyond, whatever it says itself."""
RAW_SECRETS = "kilde.dev/raw-secrets"


@dataclass(frozen=True, slots=True)
class Target:
    """One of a project's destinations; an empty server or name matches none."""

    server: str
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class KindRule:
    """Kinds, and names where one is given, as globs."""

    group: str
    kind: str
    name: str = ""

    def covers(self, group: str, kind: str, name: str) -> bool:
        if not (matches(self.group, group) and matches(self.kind, kind)):
            return False
        return not self.name or matches(self.name, name)


_NO_RULES = SigningRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project. `namespaced_allowed` None: every namespaced kind. `problems` are why a part of it cannot be read."""

    name: str
    repositories: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    cluster_allowed: tuple[KindRule, ...] = ()
    cluster_denied: tuple[KindRule, ...] = ()
    namespaced_allowed: tuple[KindRule, ...] | None = None
    namespaced_denied: tuple[KindRule, ...] = ()
    windows: tuple[Window, ...] = ()
    roles: tuple[Role, ...] = ()
    accounts: tuple[Account, ...] = ()  # whom syncs write as
    orphans: OrphanRules | None = None  # None: nobody asks about them
    remote_bases: bool = False  # kustomizations may use bases of other repositories, those that are permitted
    guests: Namespaces = NONE  # where its applications may be beside the controller's namespace (sourceNamespaces)
    own_clusters: bool = False  # its applications may deploy to clusters of the project's own only
    raw_secrets: bool = False  # Secrets may be applied that stand in Git in plain text
    signing: SigningRules = _NO_RULES
    deletion_budget: Budget | None = None
    deletion_cap: Budget | None = None
    problems: tuple[str, ...] = ()

    def role(self, name: str) -> Role | None:
        """Its role of that name."""
        return next((role for role in self.roles if role.name == name), None)

    def permits_repository(self, url: str) -> bool:
        """Whether its applications may deploy from this repository."""
        wanted = normalized(url)
        found = False
        for pattern in self.repositories:
            denial = "!" if is_denial(pattern) else ""
            if matches(denial + normalized(pattern.removeprefix("!")), wanted, separator="/"):
                found = True
            elif denial:
                return False
        return found

    def permits_destination(self, server: str, name: str, namespace: str) -> bool:
        """Whether its applications may deploy into this namespace of this cluster."""
        found = False
        for target in self.targets:
            by_server = bool(server) and matches(target.server, server)
            by_name = bool(name) and matches(target.name, name)
            by_space = matches(target.namespace, namespace)
            denied_by_name = not by_name and is_denial(target.name)
            denied_by_server = not by_server and is_denial(target.server)
            if (by_server or by_name) and by_space:
                found = True
            elif (
                denied_by_name
                or (denied_by_server and by_space)
                or (not by_space and is_denial(target.namespace) and by_server)
            ):
                return False
        return found

    def permits_kind(self, group: str, kind: str, name: str, *, namespaced: bool) -> bool:
        """Whether its applications may deploy such an object."""
        allowed = self.namespaced_allowed if namespaced else self.cluster_allowed
        denied = self.namespaced_denied if namespaced else self.cluster_denied
        return (allowed is None or _listed(allowed, group, kind, name)) and not _listed(denied, group, kind, name)


EVERYTHING = KindRule("*", "*")


def permissive(name: str) -> Project:
    """Argo CD's `default` project as it is made at its first start: everything is permitted."""
    return Project(name=name, repositories=("*",), targets=(Target("*", "*", "*"),), cluster_allowed=(EVERYTHING,))


def _listed(rules: Iterable[KindRule], group: str, kind: str, name: str) -> bool:
    return any(rule.covers(group, kind, name) for rule in rules)


def read_project(raw: Object) -> Project:
    """Parses; never raises: what is wrong is in `problems`, and permits nothing."""
    meta: Mapping[str, Any] = raw.get("metadata") or {}
    at = Reader(raw.get("spec"), "spec")
    windows = tuple(read_window(item) for item in at.items("syncWindows") if item.text("kind") in WINDOW_KINDS)
    signing = read_signing(at, meta.get("annotations") or {})
    return Project(
        name=str(meta.get("name", "")),
        repositories=at.texts("sourceRepos"),
        targets=tuple(
            Target(item.text("server"), item.text("name"), item.text("namespace")) for item in at.items("destinations")
        ),
        cluster_allowed=_rules(at, "clusterResourceWhitelist"),
        cluster_denied=_rules(at, "clusterResourceBlacklist"),
        namespaced_allowed=_rules(at, "namespaceResourceWhitelist") if at.has("namespaceResourceWhitelist") else None,
        namespaced_denied=_rules(at, "namespaceResourceBlacklist"),
        windows=windows,
        roles=read_roles(at.raw.get("roles"), str(meta.get("name", "")), raw.get("status")),
        accounts=read_accounts(at),
        orphans=read_orphans(at),
        remote_bases=(meta.get("annotations") or {}).get(REMOTE_BASES) == "allowed",
        guests=Namespaces(at.texts("sourceNamespaces")),
        own_clusters=at.flag("permitOnlyProjectScopedClusters"),
        raw_secrets=(meta.get("annotations") or {}).get(RAW_SECRETS) == "allowed",
        signing=signing,
        deletion_budget=_budget(meta, DELETION_BUDGET),
        deletion_cap=_budget(meta, DELETION_CAP),
        problems=tuple(at.problems),
    )


def _budget(meta: Mapping[str, Any], key: str) -> Budget | None:
    text = (meta.get("annotations") or {}).get(key)
    return None if text is None else read_budget(str(text))


def _rules(at: Reader, key: str) -> tuple[KindRule, ...]:
    return tuple(KindRule(item.text("group"), item.text("kind"), item.text("name")) for item in at.items(key))


def destination_refusal(project: Project, server: str, name: str, namespace: str) -> str:
    """The sentence about a destination that the project does not permit."""
    return (
        f"application destination server '{name or server}' and namespace '{namespace}' do not match any of the allowed destinations "
        f"in project '{project.name}'"
    )
