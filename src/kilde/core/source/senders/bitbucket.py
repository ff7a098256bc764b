"""Bitbucket Cloud: `repo:push`; it proves itself by its X-Hook-UUID (webhook.bitbucket.uuid). It tells no paths."""

from collections.abc import Mapping

import msgspec

from kilde.core.source.push import Push, push
from kilde.core.source.webhook_signature import check_token, header


class Link(msgspec.Struct):
    href: str = ""


class Links(msgspec.Struct):
    html: Link = msgspec.field(default_factory=Link)


class Repository(msgspec.Struct):
    links: Links = msgspec.field(default_factory=Links)


class Target(msgspec.Struct):
    hash: str = ""


class Ref(msgspec.Struct):
    """A branch or tag at one moment."""

    name: str
    type: str = "branch"
    target: Target = msgspec.field(default_factory=Target)

    @property
    def full_name(self) -> str:
        return f"refs/{'tags' if self.type == 'tag' else 'heads'}/{self.name}"


class Change(msgspec.Struct):
    """One ref that moved; `old` is null when it was made, `new` when it was deleted."""

    new: Ref | None = None
    old: Ref | None = None


class Changes(msgspec.Struct):
    changes: list[Change] = []


class Payload(msgspec.Struct):
    push: Changes
    repository: Repository


def event(headers: Mapping[str, str]) -> str:
    return header(headers, "X-Event-Key") if header(headers, "X-Hook-UUID") else ""


def verify(headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str]) -> bool:
    return check_token(secrets.get("webhook.bitbucket.uuid", ""), header(headers, "X-Hook-UUID"), about="Bitbucket")


def read(event_name: str, body: bytes) -> tuple[Push, ...]:
    if event_name != "repo:push":
        return ()
    payload = msgspec.json.decode(body, type=Payload)
    return tuple(
        push(
            urls=(payload.repository.links.html.href,),
            ref=ref.full_name,
            before=change.old.target.hash if change.old else "",
            after=change.new.target.hash if change.new else "",
        )
        for change in payload.push.changes
        if (ref := change.new or change.old) is not None
    )
