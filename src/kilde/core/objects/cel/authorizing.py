"""Authorizer: what expressions ask about the rights of who makes the request, or of a service account (apiserver's library/authz.go)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from kilde.core.objects.cel.overloads import Overload, overloads
from kilde.core.objects.cel.values import CelError

_TYPES = "kubernetes.authorization"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME, _LONGEST_LABEL = 253, 63


class Wanted(NamedTuple):
    """What is asked whether it is allowed: a verb on a resource, or on a `path` that is none."""

    verb: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer; `reason` is what it was decided by, `error` what went wrong."""

    allowed: bool
    reason: str = ""
    error: str = ""
    cel_type: ClassVar[str] = f"{_TYPES}.Decision"


Ask = Callable[[Wanted], Decision]


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Somebody's rights; `account` gives those of a service account (namespace, name)."""

    ask: Ask
    account: Callable[[str, str], Ask]
    cel_type: ClassVar[str] = f"{_TYPES}.Authorizer"


@dataclass(frozen=True, slots=True)
class PathCheck:
    """A question about a path, without its verb."""

    ask: Ask
    wanted: Wanted
    cel_type: ClassVar[str] = f"{_TYPES}.PathCheck"


@dataclass(frozen=True, slots=True)
class GroupCheck:
    """A question about an API group, without its resource."""

    ask: Ask
    wanted: Wanted
    cel_type: ClassVar[str] = f"{_TYPES}.GroupCheck"


@dataclass(frozen=True, slots=True)
class ResourceCheck:
    """A question about a resource, without its verb."""

    ask: Ask
    wanted: Wanted
    cel_type: ClassVar[str] = f"{_TYPES}.ResourceCheck"


def _path(one: Authorizer, path: str) -> PathCheck:
    if not path.strip():
        raise CelError("path must not be empty")
    return PathCheck(one.ask, Wanted(path=path))


def _resource(one: GroupCheck, resource: str) -> ResourceCheck:
    if not resource.strip():
        raise CelError("resource must not be empty")
    return ResourceCheck(one.ask, one.wanted._replace(resource=resource))


def _account(one: Authorizer, namespace: str, name: str) -> Authorizer:
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise CelError("Invalid service account name")
    if len(namespace) > _LONGEST_LABEL or not _LABEL.fullmatch(namespace):
        raise CelError("Invalid service account namespace")
    return Authorizer(one.account(namespace, name), one.account)


def _with(field: str) -> Callable[[ResourceCheck, str], ResourceCheck]:
    return lambda one, value: ResourceCheck(one.ask, one.wanted._replace(**{field: value}))


def _check(one: PathCheck | ResourceCheck, verb: str) -> Decision:
    return one.ask(one.wanted._replace(verb=verb))


def _unselected(one: ResourceCheck, selector: str) -> ResourceCheck:
    """Roles know no selectors: what is asked is the same with and without."""
    return one


def _made() -> Iterator[Overload]:
    yield Overload("path", (Authorizer, str), _path)
    yield Overload("group", (Authorizer, str), lambda one, group: GroupCheck(one.ask, Wanted(group=group)))
    yield Overload("serviceAccount", (Authorizer, str, str), _account)
    yield Overload("resource", (GroupCheck, str), _resource)
    yield from overloads((ResourceCheck, str), {key: _with(key) for key in ("subresource", "namespace", "name")})
    yield from overloads((ResourceCheck, str), dict.fromkeys(("fieldSelector", "labelSelector"), _unselected))
    yield from (Overload("check", (kind, str), _check) for kind in (PathCheck, ResourceCheck))
    yield from overloads(
        (Decision,),
        {
            "allowed": lambda one: one.allowed,
            "reason": lambda one: one.reason,
            "error": lambda one: one.error,
            "errored": lambda one: bool(one.error),
        },
    )


TABLE = (*_made(),)
