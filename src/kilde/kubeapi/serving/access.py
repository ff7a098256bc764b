"""Access: authentication, impersonation and authorization of a request, in this order, before anything else of it is read."""

from collections.abc import Mapping
from typing import Protocol

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.selector import parse_fields
from kilde.kubeapi.access.authorizer import Authorizer
from kilde.kubeapi.access.impersonation import impersonated, rbac_errors, refused
from kilde.kubeapi.access.tokens import Tokens
from kilde.kubeapi.call import User
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic.options import Query, first, flag
from kilde.kubeapi.logic.path import Route
from kilde.kubeapi.logic.rbac import Attributes
from kilde.kubeapi.resources.validation.names import path_segment
from kilde.kubeapi.serving.identity import ANONYMOUS, Authenticator
from kilde.kubeapi.world import World

_OPEN = ("/healthz", "/livez", "/readyz", "/version")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


class Decided(Protocol):
    """Whoever wants to know whether a request was allowed, and the reason ("" where there is none to tell)."""

    def __call__(self, *, allowed: bool, reason: str) -> None: ...


class Access:
    """Knows who asks and whether they may."""

    def __init__(self, world: World, who: Authenticator, authorizer: Authorizer, tokens: Tokens) -> None:
        self._world, self._who, self._authorizer, self._tokens = world, who, authorizer, tokens

    def user(self, certificate: bytes | None, headers: Mapping[str, str], path: str) -> User:
        """Who asks; 401 for wrong credentials, and for none except where a health check goes."""
        authorization = headers.get("authorization", "")
        found = self._who.user(certificate, authorization)
        if found is None and authorization[:7].lower() == "bearer ":
            found = self._tokens.user(authorization[7:].strip(), self._world.time())
        if found is not None:
            return found
        if path.startswith(_OPEN) and not authorization:
            return ANONYMOUS
        raise ApiError(401, "Unauthorized", "Unauthorized")

    def admitted(
        self, user: User, headers: Mapping[str, str], groups: list[str], wanted: Attributes, decided: Decided
    ) -> User:
        """The user whose rights count, after impersonation; 403 if they do not reach. `decided` is told what was decided and why."""
        if any(name.startswith("impersonate-") for name in headers):
            user = impersonated(user, headers, groups, self._authorizer, wanted)
        if user.master or (user is ANONYMOUS and wanted.path.startswith(_OPEN)):
            decided(allowed=True, reason="")
            return user
        decision = self._authorizer.decide(user, wanted)
        decided(allowed=decision.allowed, reason=decision.reason or rbac_errors(decision.errors))
        if not decision.allowed:
            raise refused(user, wanted, decision.errors)
        return user


def attributes(method: str, path: str, query: Query, route: Route | None) -> Attributes:
    """What a request does, as rules name it."""
    if route is None or not route.plural:
        return Attributes(method.lower(), path=path)
    verb = _VERBS.get(method, "")
    if not verb:
        collection = not route.name
        if method == "DELETE":
            verb = "deletecollection" if collection else "delete"
        else:
            verb = ("watch" if route.watch or flag(query, "watch") else "list") if collection else "get"
    namespace = route.namespace
    if route.plural == "namespaces" and not route.group and route.name:
        namespace = route.name
    name = route.name or (_chosen(query) if verb in ("list", "watch") else "")
    return Attributes(verb, route.group, route.plural, route.subresource, namespace, name)


def _chosen(query: Query) -> str:
    """The one object that a list or watch chooses by its name: who may see it alone may do so."""
    try:
        terms = parse_fields(first(query, "fieldSelector"))
    except InvalidInput:
        return ""
    names = [term.value for term in terms if term.field == "metadata.name" and term.equal]
    return names[0] if names and not any(path_segment(names[0])) else ""
