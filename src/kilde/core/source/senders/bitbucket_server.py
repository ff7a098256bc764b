"""Bitbucket Server and Data Center: `repo:refs_changed`, signed by X-Hub-Signature. It tells no paths."""

from collections.abc import Mapping

import msgspec

from kilde.core.source.push import Push, push
from kilde.core.source.webhook_signature import check_hmac, header


class Link(msgspec.Struct):
    href: str = ""


class Links(msgspec.Struct):
    clone: list[Link] = []


class Repository(msgspec.Struct):
    links: Links = msgspec.field(default_factory=Links)


class Ref(msgspec.Struct):
    id: str


class Change(msgspec.Struct, rename="camel"):
    """One ref that moved."""

    ref: Ref
    from_hash: str = ""
    to_hash: str = ""


class Payload(msgspec.Struct):
    repository: Repository
    changes: list[Change] = []


def event(headers: Mapping[str, str]) -> str:
    return header(headers, "X-Event-Key")


def verify(headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str]) -> bool:
    secret = secrets.get("webhook.bitbucketserver.secret", "")
    return check_hmac(secret, body, header(headers, "X-Hub-Signature"), about="Bitbucket Server")


def read(event_name: str, body: bytes) -> tuple[Push, ...]:
    if event_name != "repo:refs_changed":
        return ()
    payload = msgspec.json.decode(body, type=Payload)
    urls = tuple(link.href for link in payload.repository.links.clone)
    return tuple(
        push(urls=urls, ref=change.ref.id, before=change.from_hash, after=change.to_hash) for change in payload.changes
    )
