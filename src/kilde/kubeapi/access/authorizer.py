"""Authorizer: asks the roles and bindings that are stored."""

from collections.abc import Iterator
from typing import NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.call import User
from kilde.kubeapi.logic.rbac import Attributes, Rule, allows, is_subject
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.storage.store import Store

_GROUP = "rbac.authorization.k8s.io"
CLUSTER_ROLES, ROLES = f"clusterroles.{_GROUP}", f"roles.{_GROUP}"
CLUSTER_BINDINGS, BINDINGS = f"clusterrolebindings.{_GROUP}", f"rolebindings.{_GROUP}"


_EVERYTHING: tuple[Rule, ...] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)


class Decision(NamedTuple):
    """Whether a request is allowed, by what, and which roles could not be found on the way."""

    allowed: bool
    reason: str = ""
    errors: tuple[str, ...] = ()

    @property
    def trouble(self) -> str:
        """Which roles could not be found, in one sentence."""
        told = ", ".join(self.errors)
        return f"RBAC: [{told}]" if len(self.errors) > 1 else f"RBAC: {told}" if told else ""


class Granted(NamedTuple):
    """Rules a user has, and the binding they come by. `missing` names a role that is not there."""

    rules: list[Rule]
    reason: str
    missing: str = ""


class Authorizer:
    """Reads the store at each question; a member of system:masters is never asked about."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def decide(self, user: User, wanted: Attributes) -> Decision:
        """Whether this user may do this."""
        if user.master:
            return Decision(allowed=True)
        errors = []
        for grant in self.grants(user, wanted.namespace):
            if grant.missing:
                errors.append(grant.missing)
            if any(allows(rule, wanted) for rule in grant.rules):
                return Decision(allowed=True, reason=grant.reason)
        return Decision(allowed=False, errors=tuple(errors))

    def grants(self, user: User, namespace: str) -> Iterator[Granted]:
        """What the bindings give a user, cluster-wide and in a namespace."""
        for record in self._store.all(CLUSTER_BINDINGS):
            yield from self._grant(user, record.object(), "")
        if namespace:
            for record in self._store.all(BINDINGS, namespace):
                yield from self._grant(user, record.object(), namespace)

    def _grant(self, user: User, binding: Object, namespace: str) -> Iterator[Granted]:
        for subject in binding.get("subjects") or ():
            if is_subject(subject, user.name, user.groups, namespace):
                rules, missing = self.rules_of(binding["roleRef"], namespace)
                yield Granted(rules, _reason(binding, subject, namespace), missing)
                return

    def rules_of(self, role: Object, namespace: str) -> tuple[list[Rule], str]:
        """The rules of a roleRef, and what to say if it is not there."""
        kind, name = str(role.get("kind") or ""), str(role.get("name") or "")
        key = Key(ROLES, namespace, name) if kind == "Role" else Key(CLUSTER_ROLES, "", name)
        found = self._store.get(key)
        if found is None:
            return [], f'{kind.lower()}.{_GROUP} "{name}" not found'
        return found.object().get("rules") or [], ""

    def rules_for(self, user: User, namespace: str) -> list[Rule]:
        """Every rule a user has there."""
        found = [rule for grant in self.grants(user, namespace) for rule in grant.rules]
        return found or (list(_EVERYTHING) if user.master else [])


def _reason(binding: Object, subject: Object, namespace: str) -> str:
    role, name = binding["roleRef"], binding["metadata"]["name"]
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    where = f"{name}/{namespace}" if namespace else name
    whom = subject["name"]
    if subject["kind"] == "ServiceAccount":
        whom = f"{whom}/{subject.get('namespace') or namespace}"
    return f'RBAC: allowed by {kind} "{where}" of {role["kind"]} "{role["name"]}" to {subject["kind"]} "{whom}"'
