"""Who approved a commit, by the calls and answers of each forge's public API."""

from typing import Any

import pytest

from core.sets.given import World
from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.forges import IN_PULL_REQUEST
from kilde.core.sets.forges.reviews import ASKED, Review, review_of

SHA = "a" * 40
API = "https://forge.example"
TOKEN = {"secretName": "forge", "key": "token"}


def asked(kind: str, world: World, path: str = "acme/shop") -> Review:
    world.secrets["forge"] = {"token": "canary"}
    config = {"api": API, "tokenRef": TOKEN, "bearerToken": {"tokenRef": TOKEN}}
    found = review_of(kind, IN_PULL_REQUEST[kind](config, world), path, SHA)
    assert all("canary" in str(dict(each.headers)) for each in world.asked)
    assert all(each.url.startswith(f"{API}/") for each in world.asked)
    return found


def review(login: str, state: str, **user: str) -> dict[str, Any]:
    return {"user": {"login": login, **user}, "state": state}


def test_github() -> None:
    world, root = World(), f"{API}/api/v3/repos/acme/shop"
    world.answer(f"{root}/commits/{SHA}/pulls", [
        {"number": 6, "merged_at": None, "html_url": "https://forge.example/acme/shop/pull/6"},
        {"number": 7, "merged_at": "2026-01-01T00:00:00Z", "html_url": "https://forge.example/acme/shop/pull/7"},
    ])  # fmt: skip
    reviews = [
        review("ann", "COMMENTED"), review("bob", "APPROVED"), review("cid", "APPROVED"), review("cid", "CHANGES_REQUESTED"),
        review("dan", "CHANGES_REQUESTED"),
    ]  # fmt: skip
    first = f"{root}/pulls/7/reviews?per_page=100"
    world.answer(first, reviews, link=f'<{first}&page=2>; rel="next"')
    world.answer(
        f"{first}&page=2",
        [review("dan", "APPROVED"), review("bob", "COMMENTED"), "nonsense", {"user": None, "state": "APPROVED"}],
    )
    assert asked("github", world) == Review("https://forge.example/acme/shop/pull/7", ("bob", "dan"))


def test_gitlab_of_a_repository_in_a_group_of_a_group() -> None:
    world, root = World(), f"{API}/api/v4/projects/acme%2Fteam%2Fshop"
    world.answer(
        f"{root}/repository/commits/{SHA}/merge_requests",
        [{"iid": 3, "state": "merged", "web_url": "https://forge.example/m/3"}],
    )
    users = [{"user": {"name": "Ann A.", "username": "ann"}}, {"user": {"username": "bob"}}]
    world.answer(f"{root}/merge_requests/3/approvals", {"approved_by": users})
    assert asked("gitlab", world, "acme/team/shop") == Review("https://forge.example/m/3", ("Ann A. (ann)", "bob"))


def test_gitea() -> None:
    world, root = World(), f"{API}/api/v1/repos/acme/shop"
    world.answer(
        f"{root}/commits/{SHA}/pull",
        {"number": 4, "merged": True, "html_url": "https://forge.example/acme/shop/pulls/4"},
    )
    dismissed = {**review("eve", "APPROVED"), "dismissed": True}
    world.answer(
        f"{root}/pulls/4/reviews?limit=50",
        [review("ann", "APPROVED", full_name="Ann A."), review("bob", "REQUEST_CHANGES"), dismissed],
    )
    assert asked("gitea", world) == Review("https://forge.example/acme/shop/pulls/4", ("Ann A. (ann)",))


def test_bitbucket() -> None:
    world, root = World(), f"{API}/repositories/acme/shop"
    world.answer(f"{root}/commit/{SHA}/pullrequests", {"values": [{"id": 1}, {"id": 2}]})
    world.answer(f"{root}/pullrequests/1", {"state": "DECLINED", "participants": []})
    people = [
        {"approved": True, "user": {"display_name": "Ann", "nickname": "ann"}},
        {"approved": False, "user": {"display_name": "Bob"}},
    ]
    world.answer(
        f"{root}/pullrequests/2",
        {"state": "MERGED", "participants": people, "links": {"html": {"href": "https://forge.example/2"}}},
    )
    assert asked("bitbucket", world) == Review("https://forge.example/2", ("Ann (ann)",))


def test_bitbucket_server() -> None:
    world, root = World(), f"{API}/rest/api/1.0/projects/ACME/repos/shop"
    people = [
        {"approved": True, "user": {"displayName": "Ann", "emailAddress": "ann@example"}},
        {"approved": False, "user": {"displayName": "Bob"}},
    ]
    merged = {"id": 9, "state": "MERGED", "reviewers": people, "links": {"self": [{"href": "https://forge.example/9"}]}}
    world.answer(f"{root}/commits/{SHA}/pull-requests", {"values": [{"id": 8, "state": "OPEN"}, merged]})
    assert asked("bitbucketServer", world, "scm/ACME/shop") == Review("https://forge.example/9", ("Ann (ann@example)",))


@pytest.mark.parametrize("kind", sorted(ASKED))
def test_a_commit_that_no_request_brought_in(kind: str) -> None:
    assert asked(kind, World()) == Review()


@pytest.mark.parametrize("kind", sorted(ASKED))
@pytest.mark.parametrize(
    "body",
    [{}, [], "text", [1, None], {"values": 3}, {"values": [{"id": 1}]}, [{"state": "merged", "merged_at": "x"}], None],
)
def test_answers_that_make_no_sense_name_nobody(kind: str, body: Any) -> None:
    world = World()
    for path in ("api/v3/repos/acme/shop/commits/{}/pulls", "api/v4/projects/acme%2Fshop/repository/commits/{}/merge_requests",
                 "api/v1/repos/acme/shop/commits/{}/pull", "repositories/acme/shop/commit/{}/pullrequests",
                 "rest/api/1.0/projects/acme/repos/shop/commits/{}/pull-requests"):  # fmt: skip
        world.answer(f"{API}/{path.format(SHA)}", body)
    assert asked(kind, world).reviewers == ()


def test_a_refusal_is_told_without_the_token() -> None:
    world = World()
    world.answer(f"{API}/api/v3/repos/acme/shop/commits/{SHA}/pulls", {}, status=401)
    with pytest.raises(GeneratorFailed) as failed:
        asked("github", world)
    assert "401" in str(failed.value)
    assert "canary" not in str(failed.value)


def test_people_and_their_names_are_bounded() -> None:
    world, root = World(), f"{API}/api/v4/projects/acme%2Fshop"
    world.answer(f"{root}/repository/commits/{SHA}/merge_requests", [{"iid": 3, "state": "merged", "web_url": "u"}])
    users = [{"user": {"name": f"{number}\n" + "x" * 500}} for number in range(100)]
    world.answer(f"{root}/merge_requests/3/approvals", {"approved_by": users})
    found = asked("gitlab", world)
    assert (len(found.reviewers), max(map(len, found.reviewers)), "\n" in "".join(found.reviewers)) == (32, 200, False)
