"""Gitea, Forgejo and Gogs: GitHub's shape under their own headers; the secret is webhook.gogs.secret, as in Argo CD.

They do not say whether a push was forced: the paths in it are not relied on.
"""

from collections.abc import Mapping
from dataclasses import replace

from kilde.core.source.push import Push
from kilde.core.source.senders import github
from kilde.core.source.webhook_signature import check_hmac, header


def event(headers: Mapping[str, str]) -> str:
    return header(headers, "X-Forgejo-Event", "X-Gitea-Event", "X-Gogs-Event")


def verify(headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str]) -> bool:
    given = header(headers, "X-Forgejo-Signature", "X-Gitea-Signature", "X-Gogs-Signature")
    return check_hmac(secrets.get("webhook.gogs.secret", ""), body, given, about="Gitea")


def read(event_name: str, body: bytes) -> tuple[Push, ...]:
    return tuple(replace(one, changed_paths=None) for one in github.read(event_name, body))
