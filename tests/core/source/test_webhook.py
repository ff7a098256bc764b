"""Webhooks of six senders: recognised, verified, read; everything else refused."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.errors import InvalidInput, LimitExceeded
from kilde.core.source.push import Push
from kilde.core.source.senders import SENDERS
from kilde.core.source.webhook import MOST_BYTES, Delivery, read_webhook
from kilde.core.source.webhook_signature import SignatureMismatch, webhook_secrets

OLD, NEW, NONE = "a" * 40, "b" * 40, "0" * 40
SECRET = "shared secret"
SECRETS = {
    "webhook.github.secret": SECRET,
    "webhook.gitlab.secret": SECRET,
    "webhook.gogs.secret": SECRET,
    "webhook.bitbucket.uuid": "{1234}",
    "webhook.bitbucketserver.secret": SECRET,
    "webhook.azuredevops.username": "azure",
    "webhook.azuredevops.password": SECRET,
}
WEB = "https://git.example/team/app"


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def github(**more: Any) -> dict[str, Any]:
    return {
        "ref": "refs/heads/main", "before": OLD, "after": NEW, "forced": False,
        "repository": {
            "html_url": WEB, "clone_url": WEB + ".git", "ssh_url": "git@git.example:team/app.git",
            "git_url": "git://git.example/team/app.git", "default_branch": "main", "id": 7, "owner": {"name": "team"},
        },
        "commits": [{"id": NEW, "added": ["a"], "removed": ["b"], "modified": ["c/d", "a"]}],
    } | more  # fmt: skip


GITHUB_URLS = (WEB, WEB + ".git", "git@git.example:team/app.git", "git://git.example/team/app.git")

CASES: dict[str, tuple[dict[str, str], dict[str, Any], str, tuple[Push, ...]]] = {
    "github": (
        {"X-GitHub-Event": "push", "X-Hub-Signature-256": "sha256=SIGNED"},
        github(),
        "push",
        (Push(urls=GITHUB_URLS, ref="refs/heads/main", before=OLD, after=NEW,
              changed_paths=frozenset(("a", "b", "c/d")), default_branch="main"),),
    ),
    "gitea": (
        {"X-Gitea-Event": "push", "X-GitHub-Event": "push", "X-Gitea-Signature": "SIGNED"},
        github(),
        "push",
        (Push(urls=GITHUB_URLS, ref="refs/heads/main", before=OLD, after=NEW, default_branch="main"),),
    ),
    "gitlab": (
        {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": SECRET},
        {
            "object_kind": "push", "event_name": "push", "ref": "refs/heads/main", "before": OLD, "after": NEW,
            "project": {"web_url": WEB, "git_http_url": WEB + ".git", "git_ssh_url": "git@git.example:team/app.git",
                        "default_branch": "trunk"},
            "total_commits_count": 1, "commits": [{"added": ["x"], "modified": [], "removed": []}],
        },
        "Push Hook",
        (Push(urls=(WEB, WEB + ".git", "git@git.example:team/app.git"), ref="refs/heads/main", before=OLD, after=NEW,
              default_branch="trunk"),),
    ),
    "bitbucket": (
        {"X-Event-Key": "repo:push", "X-Hook-UUID": "{1234}"},
        {
            "repository": {"links": {"html": {"href": WEB}}, "full_name": "team/app"},
            "push": {"changes": [
                {"new": {"type": "branch", "name": "main", "target": {"hash": NEW}},
                 "old": {"type": "branch", "name": "main", "target": {"hash": OLD}}},
                {"new": {"type": "tag", "name": "v1", "target": {"hash": NEW}}, "old": None},
                {"new": None, "old": {"type": "branch", "name": "gone", "target": {"hash": OLD}}},
            ]},
        },
        "repo:push",
        (
            Push(urls=(WEB,), ref="refs/heads/main", before=OLD, after=NEW),
            Push(urls=(WEB,), ref="refs/tags/v1", after=NEW),
            Push(urls=(WEB,), ref="refs/heads/gone", before=OLD),
        ),
    ),
    "bitbucket-server": (
        {"X-Event-Key": "repo:refs_changed", "X-Hub-Signature": "sha256=SIGNED"},
        {
            "repository": {"links": {"clone": [
                {"href": WEB + ".git", "name": "http"},
                {"href": "ssh://git@git.example:7999/team/app.git", "name": "ssh"},
            ]}},
            "changes": [{"ref": {"id": "refs/heads/main", "displayId": "main"}, "fromHash": OLD, "toHash": NEW, "type": "UPDATE"}],
        },
        "repo:refs_changed",
        (Push(urls=(WEB + ".git", "ssh://git@git.example:7999/team/app.git"), ref="refs/heads/main", before=OLD, after=NEW),),
    ),
    "azure-devops": (
        {"X-Vss-ActivityId": "1", "Authorization": "Basic " + base64.b64encode(f"azure:{SECRET}".encode()).decode()},
        {
            "eventType": "git.push",
            "resource": {
                "refUpdates": [{"name": "refs/heads/main", "oldObjectId": OLD, "newObjectId": NEW}],
                "repository": {"remoteUrl": WEB, "defaultBranch": "refs/heads/main"},
            },
        },
        "git",
        (Push(urls=(WEB,), ref="refs/heads/main", before=OLD, after=NEW, default_branch="main"),),
    ),
}  # fmt: skip


def sent(name: str, payload: Any = None) -> tuple[dict[str, str], bytes]:
    headers, usual, _, _ = CASES[name]
    body = json.dumps(usual if payload is None else payload).encode()
    return {key: value.replace("SIGNED", signed(body)) for key, value in headers.items()}, body


def test_every_sender_has_a_case() -> None:
    assert set(CASES) == set(SENDERS)


@pytest.mark.parametrize("name", CASES)
def test_a_push_is_read_and_verified(name: str) -> None:
    headers, body = sent(name)
    assert read_webhook(headers, body, SECRETS) == Delivery(name, CASES[name][2], CASES[name][3], verified=True)
    lowered = {key.lower(): value for key, value in headers.items()}
    assert read_webhook(lowered, body, SECRETS).pushes == CASES[name][3]


@pytest.mark.parametrize("name", CASES)
def test_without_a_secret_of_ours_a_push_is_read_unverified(name: str) -> None:
    headers, body = sent(name)
    assert read_webhook(headers, body, {}) == Delivery(name, CASES[name][2], CASES[name][3], verified=False)


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_or_missing_signature_is_refused_before_the_body_is_read(name: str) -> None:
    headers, _ = sent(name)
    proofs = {"X-Hub-Signature-256", "X-Gitea-Signature", "X-Gitlab-Token", "X-Hub-Signature", "Authorization"}
    wrong = {key: "Basic wrong" if key in proofs else value for key, value in headers.items()}
    without = {key: value for key, value in headers.items() if key not in proofs}
    for shown in (wrong | ({"X-Hook-UUID": "{9}"} if name == "bitbucket" else {}), without):
        if name == "bitbucket" and shown is without:
            continue  # without its UUID it is not recognised as Bitbucket Cloud's
        with pytest.raises(SignatureMismatch) as caught:
            read_webhook(shown, b"not even JSON", SECRETS)
        assert caught.value.code == "signature-mismatch"
        assert SECRET not in str(caught.value)


def test_a_changed_byte_breaks_the_signature() -> None:
    headers, body = sent("github")
    with pytest.raises(SignatureMismatch):
        read_webhook(headers, body.replace(b"main", b"mein"), SECRETS)


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        ({"X-GitHub-Event": "ping"}, {"zen": "x"}),
        ({"X-GitHub-Event": "pull_request"}, {}),
        ({"X-Gitea-Event": "create"}, {}),
        ({"X-Gitlab-Event": "Note Hook"}, {}),
        ({"X-Gitlab-Event": "System Hook"}, {"event_name": "project_create"}),
        ({"X-Event-Key": "diagnostics:ping"}, {"test": True}),
        ({"X-Event-Key": "repo:fork", "X-Hook-UUID": "1"}, {}),
        ({"X-Vss-ActivityId": "1"}, {"eventType": "build.complete"}),
    ],
)
def test_other_events_tell_of_no_push(headers: dict[str, str], payload: dict[str, Any]) -> None:
    assert read_webhook(headers, json.dumps(payload).encode(), {}).pushes == ()


def test_a_form_is_read_as_its_payload_and_signed_as_it_was_sent() -> None:
    body = b"payload=" + quote_plus(json.dumps(github())).encode()
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": "sha256=" + signed(body),
               "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
    assert read_webhook(headers, body, SECRETS).pushes == CASES["github"][3]


@pytest.mark.parametrize(
    "more",
    [
        {"forced": True},
        {"before": NONE},
        {"after": NONE},
        {"commits": []},
        {"commits": None},
        {"commits": [{"added": ["x"]}] * 2048},
    ],
    ids=["forced", "created", "deleted", "no commits", "null commits", "cut"],
)
def test_paths_are_told_only_where_all_of_them_are(more: dict[str, Any]) -> None:
    (push,) = read_webhook({"X-GitHub-Event": "push"}, json.dumps(github(**more)).encode(), {}).pushes
    assert push.changed_paths is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"ref": 1, "repository": {}}', b'{"ref": "x"}']
)
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^the body is not what github sends: "):
        read_webhook({"X-GitHub-Event": "push"}, body, {})


def test_what_nobody_we_know_sends_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"^this webhook is of no sender we know"):
        read_webhook({"Content-Type": "application/json"}, b"{}", {})


def test_a_body_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(LimitExceeded):
        read_webhook({"X-GitHub-Event": "push"}, b" " * (MOST_BYTES + 1), SECRETS)


@given(st.sampled_from(sorted(CASES)), st.binary(max_size=200))
def test_any_body_is_read_or_refused(name: str, body: bytes) -> None:
    try:
        read_webhook(sent(name)[0], body, {})
    except InvalidInput:
        return


@pytest.mark.parametrize(
    ("repo_url", "concerned"),
    [
        ("https://git.example/team/app", True),
        ("https://git.example/team/app.git", True),
        ("https://user@GIT.example:8443/Team/App", True),
        ("git@git.example:team/app.git", True),
        ("ssh://git@git.example:7999/team/app", True),
        ("https://git.example/team/app2", False),
        ("https://other.example/team/app", False),
        ("file:///team/app", False),
        ("nonsense", False),
    ],
)
def test_a_push_concerns_every_spelling_of_its_repository(repo_url: str, concerned: bool) -> None:
    assert Push(urls=("", "nonsense", WEB), ref="refs/heads/main").concerns(repo_url) is concerned


def test_a_local_repository_is_matched_by_its_very_path() -> None:
    push = Push(urls=("file:///srv/Config.git",), ref="refs/heads/main")
    assert [
        push.concerns(one) for one in ("file:///srv/Config.git", "/srv/Config", "/srv/config", "/srv/Config/x")
    ] == [True, True, False, False]


@pytest.mark.parametrize(
    ("ref", "default", "revision", "moved"),
    [
        ("refs/heads/main", "main", "HEAD", True),
        ("refs/heads/main", "main", "", True),
        ("refs/heads/dev", "main", "HEAD", False),
        ("refs/heads/dev", "", "HEAD", True),
        ("refs/heads/dev", "main", "dev", True),
        ("refs/heads/dev", "main", "refs/heads/dev", True),
        ("refs/heads/dev", "main", "main", False),
        ("refs/tags/v1.2.3", "main", "^1.0", True),
        ("refs/tags/v1.2.3", "main", "main", False),
        ("refs/heads/v1", "main", "^1.0", False),
    ],
)
def test_a_push_moves_the_revisions_that_follow_its_ref(ref: str, default: str, revision: str, moved: bool) -> None:
    assert Push(urls=(WEB,), ref=ref, default_branch=default).moves(revision) is moved


def test_the_secrets_are_read_from_argocd_secret() -> None:
    data = {
        "webhook.github.secret": base64.b64encode(b"one\n").decode(),
        "webhook.gitlab.secret": "%%%",
        "webhook.gogs.secret": base64.b64encode(b"").decode(),
        "admin.password": base64.b64encode(b"x").decode(),
    }
    assert webhook_secrets({"data": data}) == {"webhook.github.secret": "one"}
    assert webhook_secrets(None) == webhook_secrets({}) == {}
