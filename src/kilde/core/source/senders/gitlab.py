"""GitLab: push, tag and system hooks, with the secret itself in X-Gitlab-Token.

Its list of commits is cut at 20 and does not say whether the push was forced: the paths in it are not relied on.
"""

from collections.abc import Mapping

import msgspec

from kilde.core.source.push import Push, push
from kilde.core.source.webhook_signature import check_token, header

_EVENTS = ("push", "tag_push")


class Project(msgspec.Struct):
    """A project with its addresses; older servers have `homepage` and `url`."""

    web_url: str = ""
    git_http_url: str = ""
    git_ssh_url: str = ""
    default_branch: str | None = None


class Payload(msgspec.Struct):
    """The part of a push that matters. System hooks name it in event_name, project hooks in object_kind too."""

    ref: str = ""
    object_kind: str = ""
    event_name: str = ""
    before: str = ""
    after: str = ""
    project: Project = msgspec.field(default_factory=Project)


def event(headers: Mapping[str, str]) -> str:
    return header(headers, "X-Gitlab-Event")


def verify(headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str]) -> bool:
    return check_token(secrets.get("webhook.gitlab.secret", ""), header(headers, "X-Gitlab-Token"), about="GitLab")


def read(event_name: str, body: bytes) -> tuple[Push, ...]:
    if event_name not in ("Push Hook", "Tag Push Hook", "System Hook"):
        return ()
    payload = msgspec.json.decode(body, type=Payload)
    if (payload.object_kind or payload.event_name) not in _EVENTS or not payload.ref:
        return ()
    project = payload.project
    return (
        push(
            urls=(project.web_url, project.git_http_url, project.git_ssh_url),
            ref=payload.ref,
            before=payload.before,
            after=payload.after,
            default=project.default_branch or "",
        ),
    )
