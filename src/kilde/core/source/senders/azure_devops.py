"""Azure DevOps: `git.push` service hooks, opened by HTTP basic authentication. It tells no paths."""

from collections.abc import Mapping

import msgspec

from kilde.core.source.push import Push, push
from kilde.core.source.webhook_signature import check_basic, header


class Repository(msgspec.Struct, rename="camel"):
    remote_url: str = ""
    ssh_url: str = ""
    default_branch: str = ""


class RefUpdate(msgspec.Struct, rename="camel"):
    """One ref that moved."""

    name: str
    old_object_id: str = ""
    new_object_id: str = ""


class Resource(msgspec.Struct, rename="camel"):
    repository: Repository = msgspec.field(default_factory=Repository)
    ref_updates: list[RefUpdate] = []


class Payload(msgspec.Struct, rename="camel"):
    event_type: str = ""
    resource: Resource = msgspec.field(default_factory=Resource)


def event(headers: Mapping[str, str]) -> str:
    return "git" if header(headers, "X-Vss-ActivityId") else ""  # the event's name is in the body only


def verify(headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str]) -> bool:
    user, password = secrets.get("webhook.azuredevops.username", ""), secrets.get("webhook.azuredevops.password", "")
    return check_basic(user, password, header(headers, "Authorization"), about="Azure DevOps")


def read(event_name: str, body: bytes) -> tuple[Push, ...]:
    payload = msgspec.json.decode(body, type=Payload)
    if payload.event_type != "git.push":
        return ()
    repository = payload.resource.repository
    return tuple(
        push(
            urls=(repository.remote_url, repository.ssh_url),
            ref=update.name,
            before=update.old_object_id,
            after=update.new_object_id,
            default=repository.default_branch,
        )
        for update in payload.resource.ref_updates
    )
