"""Forges: the calls that are made, what of the answers becomes a parameter, pages, filters, and that a token stays with its host."""

from typing import Any

import pytest

from core.sets.given import World, made, parameters

SECRET = {"secretName": "forge", "key": "token"}


def a_world() -> World:
    world = World()
    world.secrets["forge"] = {"token": "canary"}
    return world


def numbers(found: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [(f["number"], f["branch"], f["target_branch"], f["head_sha"], f["author"], f["title"]) for f in found]


def test_github_pull_requests_page_by_page() -> None:
    world = a_world()
    root = "https://api.github.com/repos/acme/shop/pulls?per_page=100"
    pull = {
        "title": "T",
        "head": {"ref": "f/x_y", "sha": "abcdef0123"},
        "base": {"ref": "main"},
        "user": {"login": "ann"},
        "labels": [{"name": "go"}],
    }
    world.answer(root, [{**pull, "number": 1}], link=f'<{root}&page=2>; rel="next", <x>; rel="last"')
    world.answer(root + "&page=2", [{**pull, "number": 2}, {**pull, "number": 3, "labels": []}])
    block = {"owner": "acme", "repo": "shop", "labels": ["go"], "tokenRef": SECRET}
    (one, two) = parameters({"pullRequest": {"github": block}}, world)
    assert (one["number"], two["number"]) == ("1", "2")
    assert one == {
        "number": "1", "title": "T", "branch": "f/x_y", "branch_slug": "f-x-y", "target_branch": "main", "target_branch_slug": "main",
        "head_sha": "abcdef0123", "head_short_sha": "abcdef01", "head_short_sha_7": "abcdef0", "author": "ann", "labels": ["go"],
    }  # fmt: skip
    assert {each.headers["Authorization"] for each in world.asked} == {"Bearer canary"}


def test_a_token_is_not_carried_to_another_host() -> None:
    world = a_world()
    world.answer(
        "https://api.github.com/repos/acme/shop/pulls?per_page=100", [], link='<https://evil.example/x>; rel="next"'
    )
    found = made(
        {"generators": [{"pullRequest": {"github": {"owner": "acme", "repo": "shop", "tokenRef": SECRET}}}]}, world
    )
    assert "another host" in found.error
    assert [each.url.split("/")[2] for each in world.asked] == ["api.github.com"]


def test_a_repository_that_is_not_there_is_an_error_unless_it_may_be() -> None:
    block = {"github": {"owner": "acme", "repo": "gone"}}
    assert "the repository was not found" in made({"generators": [{"pullRequest": block}]}).error
    assert made({"generators": [{"pullRequest": {**block, "continueOnRepoNotFoundError": True}}]}).error == ""
    world = World()
    world.answer("https://api.github.com/repos/acme/gone/pulls?per_page=100", {"message": "limit"}, status=403)
    error = made({"generators": [{"pullRequest": {**block, "continueOnRepoNotFoundError": True}}]}, world).error
    assert error == "https://api.github.com/repos/acme/gone/pulls: the forge answered 403"


def test_gitlab_merge_requests() -> None:
    world = a_world()
    root = (
        "https://git.example/api/v4/projects/group%2Fshop/merge_requests?labels=a%2Cb&state=opened&per_page=100&page="
    )
    request = {
        "title": "T",
        "source_branch": "s",
        "target_branch": "t",
        "sha": "abc",
        "author": {"username": "ann"},
        "labels": ["a", "b"],
    }
    world.answer(root + "1", [{**request, "iid": 4}], x_next_page="2")
    world.answer(root + "2", [{**request, "iid": 5}], x_next_page="")
    block = {
        "project": "group/shop",
        "api": "https://git.example",
        "labels": ["a", "b"],
        "pullRequestState": "opened",
        "tokenRef": SECRET,
    }
    found = parameters({"pullRequest": {"gitlab": block}}, world)
    assert numbers(found) == [("4", "s", "t", "abc", "ann", "T"), ("5", "s", "t", "abc", "ann", "T")]
    assert world.asked[0].headers["PRIVATE-TOKEN"] == "canary"


def test_gitea_pull_requests() -> None:
    world = a_world()
    pull = {
        "number": 4,
        "title": "T",
        "head": {"ref": "s", "sha": "abc"},
        "base": {"ref": "t"},
        "user": {"login": "ann"},
        "labels": [],
    }
    world.answer("https://tea.example/api/v1/repos/acme/shop/pulls?state=open&limit=50", [pull])
    block = {"owner": "acme", "repo": "shop", "api": "https://tea.example", "tokenRef": SECRET, "insecure": True}
    assert numbers(parameters({"pullRequest": {"gitea": block}}, world)) == [("4", "s", "t", "abc", "ann", "T")]
    assert (world.asked[0].headers["Authorization"], world.asked[0].insecure) == ("token canary", True)


def test_bitbucket_pull_requests_of_the_cloud_and_of_a_server() -> None:
    world = a_world()
    world.maps["ca"] = {"pem": "PEM"}
    cloud = {
        "id": 4,
        "title": "T",
        "source": {"branch": {"name": "s"}, "commit": {"hash": "abc"}},
        "destination": {"branch": {"name": "t"}},
        "author": {"nickname": "ann"},
    }
    root = "https://api.bitbucket.org/2.0/repositories/acme/shop/pullrequests"
    world.answer(f"{root}?pagelen=50", {"values": [cloud], "next": f"{root}?page=2"})
    world.answer(f"{root}?page=2", {"values": []})
    basic = {"basicAuth": {"username": "u", "passwordRef": SECRET}}
    assert numbers(parameters({"pullRequest": {"bitbucket": {"owner": "acme", "repo": "shop", **basic}}}, world)) == [
        ("4", "s", "t", "abc", "ann", "T")
    ]
    assert world.asked[0].headers["Authorization"] == "Basic dTpjYW5hcnk="
    server = {
        "id": 4,
        "title": "T",
        "fromRef": {"displayId": "s", "latestCommit": "abc"},
        "toRef": {"displayId": "t"},
        "author": {"user": {"name": "ann"}},
    }
    root = "https://bb.example/rest/api/1.0/projects/ACME/repos/shop/pull-requests?limit=100&start="
    world.answer(root + "0", {"values": [server], "isLastPage": False, "nextPageStart": 100})
    world.answer(root + "100", {"values": [], "isLastPage": True})
    block = {
        "project": "ACME",
        "repo": "shop",
        "api": "https://bb.example",
        "bearerToken": {"tokenRef": SECRET},
        "caRef": {"configMapName": "ca", "key": "pem"},
    }
    assert numbers(parameters({"pullRequest": {"bitbucketServer": block}}, world)) == [
        ("4", "s", "t", "abc", "ann", "T")
    ]
    assert (world.asked[-1].headers["Authorization"], world.asked[-1].authority) == ("Bearer canary", "PEM")


def test_azure_pull_requests() -> None:
    world = a_world()
    pull = {
        "pullRequestId": 4,
        "title": "T",
        "sourceRefName": "refs/heads/s",
        "targetRefName": "refs/heads/t",
        "repository": {"name": "shop"},
        "lastMergeSourceCommit": {"commitId": "abc"},
        "createdBy": {"uniqueName": "ann@x"},
        "labels": [{"name": "go"}],
    }
    root = "https://dev.azure.com/acme/proj/_apis/git/pullrequests?api-version=7.1&%24top=100&%24skip=0"
    world.answer(root, {"value": [pull, {**pull, "repository": {"name": "other"}}]})
    block = {"organization": "acme", "project": "proj", "repo": "shop", "labels": ["go"], "tokenRef": SECRET}
    assert numbers(parameters({"pullRequest": {"azuredevops": block}}, world)) == [("4", "s", "t", "abc", "ann", "T")]


def test_filters_of_pull_requests_any_filter_and_all_of_its_patterns() -> None:
    world = World()
    pulls = [
        {"number": n, "title": t, "head": {"ref": b, "sha": "x"}, "base": {"ref": "main"}, "user": {"login": "a"}}
        for n, t, b in ((1, "WIP", "f/1"), (2, "ok", "f/2"), (3, "ok", "g"))
    ]
    world.answer("https://api.github.com/repos/o/r/pulls?per_page=100", pulls)
    block: dict[str, Any] = {"github": {"owner": "o", "repo": "r"}}
    filters = [{"branchMatch": "^f/", "titleMatch": "^ok"}, {"branchMatch": "^g$", "targetBranchMatch": "main"}]
    assert [f["number"] for f in parameters({"pullRequest": {**block, "filters": filters}}, world)] == ["2", "3"]
    assert (
        "error compiling regexp"
        in made({"generators": [{"pullRequest": {**block, "filters": [{"branchMatch": "("}]}}]}, world).error
    )


def test_github_repositories_their_branches_and_filters() -> None:
    world = a_world()
    repo = {
        "owner": {"login": "acme"},
        "ssh_url": "git@s",
        "clone_url": "https://c",
        "default_branch": "main",
        "topics": ["k8s", "x"],
        "id": 7,
    }
    root = "https://api.github.com/"
    world.answer(
        f"{root}orgs/acme/repos?per_page=100",
        [{**repo, "name": "shop"}, {**repo, "name": "empty"}, {**repo, "name": "docs", "topics": []}],
    )
    for name in ("shop", "docs"):
        world.answer(f"{root}repos/acme/{name}/branches/main", {"name": "main", "commit": {"sha": "0123456789"}})
    world.answer(f"{root}repos/acme/shop/contents/deploy?ref=main", [])
    block = {"github": {"organization": "acme", "tokenRef": SECRET}, "cloneProtocol": "https"}
    assert [f["repository"] for f in parameters({"scmProvider": block}, world)] == ["shop", "docs"]
    (one,) = parameters(
        {"scmProvider": {**block, "filters": [{"pathsExist": ["deploy/"]}], "values": {"n": "{{.repository}}"}}}, world
    )
    assert one == {
        "organization": "acme", "repository": "shop", "repository_id": 7, "url": "https://c", "branch": "main", "sha": "0123456789",
        "short_sha": "01234567", "short_sha_7": "0123456", "labels": "k8s,x", "branchNormalized": "main", "values": {"n": "shop"},
    }  # fmt: skip
    assert [
        f["repository"] for f in parameters({"scmProvider": {**block, "filters": [{"labelMatch": "^k8"}]}}, world)
    ] == ["shop"]
    missing = {**block, "filters": [{"pathsDoNotExist": ["deploy"]}]}
    assert [f["repository"] for f in parameters({"scmProvider": missing}, world)] == ["docs"]
    assert (
        "unknown clone protocol for GitHub ftp"
        in made({"generators": [{"scmProvider": {**block, "cloneProtocol": "ftp"}}]}, world).error
    )


def test_the_other_forges_list_repositories() -> None:
    world = a_world()
    project = {
        "namespace": {"full_path": "acme/sub"},
        "path": "shop",
        "ssh_url_to_repo": "git@s",
        "http_url_to_repo": "https://c",
        "default_branch": "main",
        "topics": [],
        "tag_list": ["t"],
        "id": 9,
    }
    world.answer(
        "https://gitlab.com/api/v4/groups/acme/projects?include_subgroups=true&with_shared=true&per_page=100&page=1",
        [project],
    )
    world.answer(
        "https://gitlab.com/api/v4/projects/9/repository/branches?per_page=100&page=1",
        [{"name": "a", "commit": {"id": "1"}}, {"name": "b", "commit": {"id": "2"}}],
    )
    gitlab = {"gitlab": {"group": "acme", "includeSubgroups": True, "allBranches": True, "tokenRef": SECRET}}
    assert [
        (f["organization"], f["url"], f["branch"], f["sha"], f["labels"])
        for f in parameters({"scmProvider": gitlab}, world)
    ] == [
        ("acme/sub", "git@s", "a", "1", "t"),
        ("acme/sub", "git@s", "b", "2", "t"),
    ]
    tea = "https://tea.example/api/v1/"
    world.answer(
        f"{tea}orgs/acme/repos?limit=50",
        [{"name": "shop", "ssh_url": "git@s", "html_url": "https://c", "default_branch": "main", "id": 1}],
    )
    world.answer(f"{tea}repos/acme/shop/labels?limit=50", [{"name": "l"}])
    world.answer(f"{tea}repos/acme/shop/branches/main", {"commit": {"id": "1"}})
    (one,) = parameters({"scmProvider": {"gitea": {"owner": "acme", "api": "https://tea.example"}}}, world)
    assert (one["url"], one["branch"], one["sha"], one["labels"]) == ("git@s", "main", "1", "l")
    root = "https://api.bitbucket.org/2.0/repositories/acme"
    links = {"clone": [{"name": "https", "href": "https://c"}, {"name": "ssh", "href": "git@s"}]}
    world.answer(
        f"{root}?role=member&pagelen=100",
        {"values": [{"slug": "shop", "mainbranch": {"name": "main"}, "links": links, "uuid": "{1}"}]},
    )
    world.answer(f"{root}/shop/refs/branches/main", {"name": "main", "target": {"hash": "1"}})
    (one,) = parameters({"scmProvider": {"bitbucket": {"owner": "acme", "user": "u", "appPasswordRef": SECRET}}}, world)
    assert (one["url"], one["sha"], one["repository_id"]) == ("git@s", "1", "{1}")
    root = "https://bb.example/rest/api/1.0/projects/ACME/repos"
    links = {"clone": [{"name": "http", "href": "https://c"}, {"name": "ssh", "href": "git@s"}]}
    world.answer(
        f"{root}?limit=100&start=0",
        {"values": [{"name": "shop", "project": {"key": "ACME"}, "links": links, "id": 3}], "isLastPage": True},
    )
    world.answer(f"{root}/shop/branches/default", {"displayId": "main", "latestCommit": "1"})
    (one,) = parameters(
        {
            "scmProvider": {
                "bitbucketServer": {"project": "ACME", "api": "https://bb.example"},
                "cloneProtocol": "https",
            }
        },
        world,
    )
    assert (one["url"], one["branch"], one["sha"]) == ("https://c", "main", "1")
    root = "https://dev.azure.com/acme/proj/_apis/git/repositories"
    world.answer(
        f"{root}?api-version=7.1",
        {
            "value": [
                {"name": "shop", "defaultBranch": "refs/heads/main", "remoteUrl": "https://c", "id": "i"},
                {"name": "empty"},
            ]
        },
    )
    world.answer(f"{root}/shop/stats/branches?api-version=7.1&name=main", {"name": "main", "commit": {"commitId": "1"}})
    azure = {"azureDevOps": {"organization": "acme", "teamProject": "proj", "accessTokenRef": SECRET}}
    (one,) = parameters({"scmProvider": azure}, world)
    assert (one["url"], one["branch"], one["sha"]) == ("https://c", "main", "1")


@pytest.mark.parametrize(
    "secret", [{}, {"githubAppID": "1", "githubAppInstallationID": "2", "githubAppPrivateKey": "no key"}]
)
def test_a_github_app_without_a_usable_key_is_told_without_showing_it(secret: dict[str, str]) -> None:
    world = World()
    world.secrets["app"] = secret
    error = made(
        {"generators": [{"pullRequest": {"github": {"owner": "o", "repo": "r", "appSecretName": "app"}}}]}, world
    ).error
    assert error.startswith("failed to select pull request service provider: error fetching Github app secret")
    assert "no key" not in error


def test_a_github_app_gets_a_token_for_its_installation() -> None:
    from base64 import urlsafe_b64decode

    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    world = World()
    world.secrets["app"] = {"githubAppID": "11", "githubAppInstallationID": "22", "githubAppPrivateKey": pem}
    world.answer("https://api.github.com/app/installations/22/access_tokens", {"token": "made"}, status=201)
    world.answer("https://api.github.com/repos/o/r/pulls?per_page=100", [])
    assert parameters({"pullRequest": {"github": {"owner": "o", "repo": "r", "appSecretName": "app"}}}, world) == []
    text, _, signature = world.asked[0].headers["Authorization"].removeprefix("Bearer ").rpartition(".")
    key.public_key().verify(urlsafe_b64decode(signature + "=="), text.encode(), padding.PKCS1v15(), SHA256())
    assert world.asked[1].headers["Authorization"] == "Bearer made"
