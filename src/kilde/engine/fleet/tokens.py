"""Tokens of project roles in the cluster: noted in the AppProject by id and times, signed with the key of `argocd-secret`.

As Argo CD does it: in `status.jwtTokensByRole` and in the role, newest first; the key is `server.secretkey`, made where it is missing.
"""

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from kilde.core.access.project import Project, read_project
from kilde.core.access.roles import Role, Token
from kilde.core.access.tokens import Claims, claims_of, signed
from kilde.core.basics.errors import ClusterError, InvalidInput, KildeError
from kilde.core.basics.reading import did_you_mean
from kilde.core.basics.values import Object
from kilde.engine.fleet.applications import SECRETS
from kilde.engine.fleet.projects import DEFAULT_PROJECT, PROJECTS
from kilde.ports.cluster import Cluster

_decode = msgspec.json.Decoder(dict).decode
_SECRET, _KEY = "argocd-secret", "server.secretkey"
_LABELS = {"app.kubernetes.io/name": _SECRET, "app.kubernetes.io/part-of": "argocd"}
_TRIES = 5  # somebody else writes the project at the same time


class ProjectTokens:
    """The tokens of the projects in one namespace. `dice` gives random bytes. Every failure is a KildeError."""

    def __init__(self, cluster: Cluster, namespace: str, *, manager: str, dice: Callable[[int], bytes]) -> None:
        self._cluster, self._namespace, self._manager, self._dice = cluster, namespace, manager, dice

    async def project(self, name: str) -> Project:
        """The project; KildeError where there is none."""
        return (await self._read(name))[0]

    async def create(self, project: str, role: str, *, token_id: str, now: float, lasts: float) -> tuple[Token, str]:
        """A new token of a role, noted before it is told: what was noted, and the token, which nobody keeps. `lasts` 0: for ever."""
        key = await self._key(make=True)
        issued = int(now)
        token = Token(token_id or self._dice(16).hex(), issued, issued + int(lasts) if lasts else 0)

        def add(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
            if any(one.id == token.id for one in tokens):
                raise InvalidInput(f"token id '{token.id}' has been used", about=f"{project}:{role}")
            return (token, *tokens)

        await self._change(project, role, add)
        return token, signed(project, role, token, key)

    async def delete(self, project: str, role: str, token_id: str) -> Token:
        """The token of that id is good for nothing from now on."""
        gone: list[Token] = []

        def remove(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
            gone[:] = [one for one in tokens if one.id == token_id]
            if not gone:
                hint = f"kilde project role token list {project} {role}"
                raise InvalidInput(f"there is no token of the id '{token_id}'", about=f"{project}:{role}", hint=hint)
            return tuple(one for one in tokens if one.id != token_id)

        await self._change(project, role, remove)
        return gone[0]

    async def claims(self, text: str, *, now: float) -> Claims:
        """What a token says that somebody shows."""
        return claims_of(text, await self._key(make=False), now=now)

    async def _change(self, project: str, role: str, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> None:
        for attempt in range(_TRIES):
            known, body = await self._read(project)
            tokens = change(role_of(known, role).tokens)
            try:
                await self._cluster.patch(
                    PROJECTS, self._namespace, project, _noted(body, role, tokens), manager=self._manager
                )
            except ClusterError as error:
                if error.status != 409 or attempt == _TRIES - 1:
                    raise
            else:
                return

    async def _read(self, name: str) -> tuple[Project, Object]:
        raw = await self._cluster.get(PROJECTS, self._namespace, name)
        if raw is None:
            known = [read_project(_decode(one)).name for one in await self._cluster.list(PROJECTS, self._namespace)]
            near = did_you_mean(name, known)
            hint = (
                "make it: kubectl apply" if name == DEFAULT_PROJECT else "kubectl get appprojects -n " + self._namespace
            )
            raise KildeError(f"there is no AppProject of that name{near}", about=name, hint=hint)
        body = _decode(raw)
        return read_project(body), body

    async def _key(self, *, make: bool) -> bytes:
        """The key of the installation. KildeError where there is none, and none is to be made."""
        for _ in range(_TRIES):
            raw = await self._cluster.get(SECRETS, self._namespace, _SECRET)
            body = _decode(raw) if raw else None
            said = ((body or {}).get("data") or {}).get(_KEY)
            if said:
                return base64.b64decode(said)
            if not make:
                raise KildeError("no token was ever signed here", about=f"{self._namespace}/{_SECRET}: {_KEY}")
            await self._make_key(body)
        raise KildeError("the key does not stay", about=f"{self._namespace}/{_SECRET}: {_KEY}")

    async def _make_key(self, body: Object | None) -> None:
        """Puts a key there, unless somebody was faster."""
        fresh = base64.b64encode(base64.b64encode(self._dice(32))).decode()  # its text is the key, as Argo CD makes it
        try:
            if body is None:
                meta = {"name": _SECRET, "namespace": self._namespace, "labels": _LABELS}
                made = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": {_KEY: fresh}}
                await self._cluster.create(SECRETS, made, manager=self._manager)
            else:
                patch = {"metadata": {"resourceVersion": body["metadata"]["resourceVersion"]}, "data": {_KEY: fresh}}
                await self._cluster.patch(SECRETS, self._namespace, _SECRET, patch, manager=self._manager)
        except ClusterError as error:
            if error.status != 409:
                raise


def role_of(project: Project, name: str) -> Role:
    """The role; KildeError with those there are."""
    role = project.role(name)
    if role is None:
        known = ", ".join(one.name for one in project.roles) or "none"
        raise KildeError(f"project '{project.name}' does not have role '{name}'", hint=f"it has: {known}")
    return role


def _noted(body: Object, role: str, tokens: tuple[Token, ...]) -> Object:
    """The patch that notes the tokens of a role in both places, provided nobody has changed the project since."""
    items: list[dict[str, Any]] = [
        {**({"exp": token.expires_at} if token.expires_at else {}), "iat": token.issued_at, "id": token.id}
        for token in sorted(tokens, key=lambda token: (-token.issued_at, token.id))
    ]
    roles = []
    for one in body["spec"].get("roles") or ():
        mine = isinstance(one, dict) and one.get("name") == role
        roles.append(
            {**{k: v for k, v in one.items() if k != "jwtTokens"}, **({"jwtTokens": items} if items else {})}
            if mine
            else one
        )
    return {
        "metadata": {"resourceVersion": body["metadata"]["resourceVersion"]},
        "spec": {"roles": roles},
        "status": {"jwtTokensByRole": {role: {"items": items}}},
    }
