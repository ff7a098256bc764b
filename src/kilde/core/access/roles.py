"""Roles of an AppProject: what whoever holds a role's token, or is in one of its groups, may do with the project's applications.

Policies are Argo CD's lines `p, proj:PROJECT:ROLE, RESOURCE, ACTION, PROJECT/APPLICATION, allow|deny`, whose last four words but the effect
are globs; a denial that fits wins. A line that is none permits nothing, is told, and keeps no application from being deployed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from kilde.core.access.globs import is_denial, matches
from kilde.core.basics.reading import Reader

_RESOURCES = ("applications", "applicationsets", "repositories", "exec", "logs", "clusters")
_ACTIONS = ("get", "create", "update", "delete", "sync", "override", "rollback", "*")
_FINER = ("action/", "update/", "delete/")
_NAME = re.compile(r"[a-zA-Z0-9](?:[-_a-zA-Z0-9]*[a-zA-Z0-9])?")
_YEAR_10000 = 253_402_300_800  # seconds since 1970: what no date can be written for
_NOT_IN_A_GROUP = re.compile(r'["\n\r\t]')


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token that was given out: seconds since 1970, 0 for one that does not expire; never the token itself."""

    id: str
    issued_at: int
    expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """One line that could be read."""

    resource: str
    action: str
    object: str
    allows: bool

    def fits(self, resource: str, action: str, obj: str) -> bool:
        pairs = ((self.resource, resource), (self.action, action), (self.object, obj))
        return all(not is_denial(pattern) and matches(pattern, text) for pattern, text in pairs)


@dataclass(frozen=True, slots=True)
class Role:
    """One role, with the lines that could be read and the tokens that still are good. `problems`: in Argo CD's words."""

    name: str
    description: str = ""
    policies: tuple[Policy, ...] = ()
    groups: tuple[str, ...] = ()
    tokens: tuple[Token, ...] = ()
    problems: tuple[str, ...] = ()

    def permits(self, project: str, resource: str, action: str, obj: str) -> bool:
        """Whether it may; every role may see its own project."""
        if (resource, action, obj) == ("projects", "get", project):
            return True
        fitting = [policy for policy in self.policies if policy.fits(resource, action, obj)]
        return bool(fitting) and all(policy.allows for policy in fitting)

    def token(self, token_id: str, issued_at: int) -> Token | None:
        """The token of that id; of that moment where it says none, as old ones do."""
        if token_id:
            return next((token for token in self.tokens if token.id == token_id), None)
        return next((token for token in self.tokens if token.issued_at == issued_at), None)


def read_roles(raw: Any, project: str, status: Any) -> tuple[Role, ...]:
    """The roles of a project's spec, with their tokens of spec and status. Never raises."""
    roles: dict[str, Role] = {}
    for number, one in enumerate(raw if isinstance(raw, list) else ()):
        role = _role(Reader(one, f"spec.roles[{number}]"), project, status)
        known = roles.get(role.name)
        if known is None:
            roles[role.name] = role
        else:
            problems = (*known.problems, f"role '{role.name}' already exists")
            roles[role.name] = Role(role.name, known.description, known.policies, known.groups, known.tokens, problems)
    return tuple(roles.values())


def _role(item: Reader, project: str, status: Any) -> Role:
    problems: list[str] = []
    name = item.text("name")
    if not _NAME.fullmatch(name):
        problems.append(
            f"invalid role name '{name}'. Must consist of alphanumeric characters, '-' or '_', "
            "and must start and end with an alphanumeric character"
        )
    policies, groups = item.texts("policies"), item.texts("groups")
    found = [read_policy(text, project, name, problems) for text in dict.fromkeys(policies)]
    problems += [f"policy '{text}' already exists for role '{name}'" for text in _twice(policies)]
    problems += [f"group '{text}' already exists for role '{name}'" for text in _twice(groups)]
    problems += [problem for group in groups if (problem := _group_problem(group))]
    by_role = status.get("jwtTokensByRole") if isinstance(status, dict) else None
    told = by_role.get(name) if isinstance(by_role, dict) else None
    tokens = {token.id: token for token in (*_tokens(told, "items"), *_tokens(item.raw, "jwtTokens"))}
    return Role(
        name=name,
        description=item.text("description"),
        policies=tuple(policy for policy in found if policy is not None),
        groups=groups,
        tokens=tuple(sorted(tokens.values(), key=lambda token: (-token.issued_at, token.id))),
        problems=(*problems, *item.problems),
    )


def read_policy(text: str, project: str, role: str, problems: list[str]) -> Policy | None:
    """One line; None where it is none, and why is added to the problems."""
    wrong = f"invalid policy rule '{text}': "
    parts = [part.strip(" ") for part in text.split(",")]
    if len(parts) != 6 or parts[0] != "p":
        problems.append(f"{wrong}must be of the form: 'p, sub, res, act, obj, eft'")
        return None
    _, subject, resource, action, obj, effect = parts
    mine = f"proj:{project}:{role}"
    shape = rf"{re.escape(project)}(/[*\w.-]+)?/[*\w.-]+"
    checks = (
        (subject == mine, f"policy subject must be: '{mine}', not '{subject}'"),
        (
            resource in _RESOURCES,
            "project resource must be: 'applications', 'applicationsets', 'repositories', 'exec', 'logs' or 'clusters', "
            f"not '{resource}'",
        ),
        (action in _ACTIONS or any(finer in action for finer in _FINER), f"invalid action '{action}'"),
        (
            re.fullmatch(shape, obj, re.ASCII) is not None,
            f"object must be of form '{project}/*', '{project}[/<NAMESPACE>]/<APPNAME>' or '{project}/<APPNAME>', not '{obj}'",
        ),
        (effect in ("allow", "deny"), "effect must be: 'allow' or 'deny'"),
    )
    for good, why in checks:
        if not good:
            problems.append(wrong + why)
            return None
    return Policy(resource, action, obj, effect == "allow")


def _tokens(raw: Any, key: str) -> Iterator[Token]:
    for one in (raw.get(key) if isinstance(raw, dict) else None) or ():
        if isinstance(one, dict) and _is_moment(issued := one.get("iat")):
            expires = one.get("exp")
            yield Token(str(one.get("id") or issued), issued, expires if _is_moment(expires) else 0)


def _is_moment(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < _YEAR_10000


def _twice(texts: Iterable[str]) -> list[str]:
    texts = list(texts)
    return sorted({text for text in texts if texts.count(text) > 1})


def _group_problem(group: str) -> str:
    name = group.strip()
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        name = name[1:-1]
    elif "," in name:
        return f"group '{name}' must be quoted"
    if not name:
        return f"group '{name}' is empty"
    if _NOT_IN_A_GROUP.search(name):
        return f"group '{name}' contains invalid characters"
    if len(group) > 1 and group[0].isspace():
        return f"group '{name}' contains a leading space"
    return f"group '{name}' contains a trailing space" if len(group) > 1 and group[-1].isspace() else ""
