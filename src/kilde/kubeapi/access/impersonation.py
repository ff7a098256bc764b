"""Impersonation: acting as another user, by the Impersonate-* headers (Kubernetes 1.36: constrained impersonation)."""

from collections.abc import Mapping

from kilde.kubeapi.access.authorizer import Authorizer
from kilde.kubeapi.call import User
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.rbac import Attributes, denial

_PREFIX = "impersonate-extra-"
_ACCOUNT = "system:serviceaccount:"


def impersonated(
    user: User, headers: Mapping[str, str], groups: list[str], authorizer: Authorizer, wanted: Attributes
) -> User:
    """The user to act as: the caller where no header asks for another. 400 without a name, 403 without the right."""
    name, uid = headers.get("impersonate-user", ""), headers.get("impersonate-uid", "")
    extra = {key.removeprefix(_PREFIX): (value,) for key, value in headers.items() if key.startswith(_PREFIX)}
    if not (name or uid or groups or extra):
        return user
    if not name:
        raise _nameless(uid, groups, extra)
    if not user.master:
        _check(user, name, groups, authorizer, wanted)
    if name.startswith(_ACCOUNT) and name.count(":") == 3 and not groups:
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{name.split(':')[2]}"]
    if name != "system:anonymous" and "system:authenticated" not in groups and "system:unauthenticated" not in groups:
        groups = [*groups, "system:authenticated"]
    return User(name, tuple(groups), uid, tuple(sorted(extra.items())))


def _nameless(uid: str, groups: list[str], extra: Mapping[str, tuple[str, ...]]) -> ApiError:
    listed = "[]string{" + ", ".join(failures.quoted(group) for group in groups) + "}" if groups else "[]string(nil)"
    more = ", ".join(f'"{key}":[]string{{{failures.quoted(values[0])}}}' for key, values in sorted(extra.items()))
    extras = f"map[string][]string{{{more}}}" if extra else "map[string][]string(nil)"
    told = f'&user.DefaultInfo{{Name:"", UID:{failures.quoted(uid)}, Groups:{listed}, Extra:{extras}}}'
    return failures.bad_request(f"requested {told} without impersonating a user name")


def _check(user: User, name: str, groups: list[str], authorizer: Authorizer, wanted: Attributes) -> None:
    if name.startswith(_ACCOUNT) and name.count(":") == 3:
        _, _, namespace, account = name.split(":")
        needed = [Attributes("impersonate", "", "serviceaccounts", "", namespace, account)]
        mode = "serviceaccount"
    else:
        needed = [Attributes("impersonate", "", "users", "", "", name)]
        mode = "user-info"
    needed += [Attributes("impersonate", "", "groups", "", "", group) for group in groups]
    if all(authorizer.decide(user, each).allowed for each in needed):
        return
    asked = wanted._replace(verb=f"impersonate-on:{mode}:{wanted.verb}")
    raise refused(user, asked, ())


def rbac_errors(errors: tuple[str, ...]) -> str:
    """What RBAC says of roles that it did not find; "" if it found all."""
    told = "".join(errors) if len(errors) <= 1 else f"[{', '.join(errors)}]"
    return f"RBAC: {told}" if errors else ""


def refused(user: User, wanted: Attributes, errors: tuple[str, ...]) -> ApiError:
    """403 for what this user may not do."""
    why = denial(user.name, wanted)
    if errors:
        why += f": {rbac_errors(errors)}"
    if wanted.path:
        return ApiError(403, "Forbidden", f"forbidden: {why}", {})
    return failures.forbidden(failures.Named(wanted.group, wanted.resource, wanted.name), why)
