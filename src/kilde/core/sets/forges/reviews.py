"""Who approved the merge of a commit, as the forge that merged it tells: GitHub, GitLab, Gitea and Forgejo, Bitbucket of both kinds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kilde.core.sets.forges.forge import Forge, field_of, part

_MOST_PAGES, _MOST_PEOPLE, _LONGEST = 5, 32, 200


@dataclass(frozen=True, slots=True)
class Review:
    """The address of the merge (or pull) request that brought a commit in, and who approved it; "" and nobody where there is none."""

    request: str = ""
    reviewers: tuple[str, ...] = ()


def review_of(kind: str, forge: Forge, path: str, sha: str) -> Review:
    """Asks for one commit of the repository at this path of the forge (`group/name`). GeneratorFailed; KeyError: no such kind."""
    asked, people = ASKED[kind](forge, path, sha)
    return Review(_word(asked), tuple(dict.fromkeys(filter(None, map(_word, people))))[:_MOST_PEOPLE])


def _github(forge: Forge, path: str, sha: str) -> tuple[str, Iterable[str]]:
    root = f"repos/{_two(path)}"
    merged = _merged(
        forge.get(f"{root}/commits/{part(sha)}/pulls", missing=True).body, lambda each: each.get("merged_at")
    )
    if merged is None:
        return "", ()
    reviews = _listed(forge, f"{root}/pulls/{part(merged.get('number'))}/reviews", per_page=100)
    return field_of(merged, "html_url"), _last_words(reviews)


def _gitea(forge: Forge, path: str, sha: str) -> tuple[str, Iterable[str]]:
    root = f"repos/{_two(path)}"
    merged = forge.get(f"{root}/commits/{part(sha)}/pull", missing=True).body
    if not isinstance(merged, dict) or not merged.get("merged"):
        return "", ()
    reviews = _listed(forge, f"{root}/pulls/{part(merged.get('number'))}/reviews", limit=50)
    return field_of(merged, "html_url"), _last_words(each for each in reviews if not each.get("dismissed"))


def _gitlab(forge: Forge, path: str, sha: str) -> tuple[str, Iterable[str]]:
    root = f"projects/{part(path)}"
    found = forge.get(f"{root}/repository/commits/{part(sha)}/merge_requests", missing=True).body
    merged = _merged(found, lambda each: each.get("state") == "merged")
    if merged is None:
        return "", ()
    approvals = _dict(forge.get(f"{root}/merge_requests/{part(merged.get('iid'))}/approvals", missing=True).body)
    named = (_named(each.get("user"), "name", "username") for each in _dicts(approvals.get("approved_by")))
    return field_of(merged, "web_url"), named


def _bitbucket(forge: Forge, path: str, sha: str) -> tuple[str, Iterable[str]]:
    root = f"repositories/{_two(path)}"
    found = forge.get(f"{root}/commit/{part(sha)}/pullrequests", missing=True).body
    for each in _dicts(_dict(found).get("values")):  # it does not say there which of them were merged
        whole = _dict(forge.get(f"{root}/pullrequests/{part(each.get('id'))}", missing=True).body)
        if whole.get("state") == "MERGED":
            approved = (one for one in _dicts(whole.get("participants")) if one.get("approved"))
            return field_of(whole, "links", "html", "href"), (
                _named(one.get("user"), "display_name", "nickname") for one in approved
            )
    return "", ()


def _bitbucket_server(forge: Forge, path: str, sha: str) -> tuple[str, Iterable[str]]:
    project, _, name = path.rpartition("/")
    root = f"projects/{part(project.rpartition('/')[2])}/repos/{part(name)}"
    found = forge.get(f"{root}/commits/{part(sha)}/pull-requests", missing=True).body
    merged = _merged(_dict(found).get("values"), lambda each: each.get("state") == "MERGED")
    if merged is None:
        return "", ()
    approved = (one.get("user") for one in _dicts(merged.get("reviewers")) if one.get("approved"))
    links = _dicts(_dict(merged.get("links")).get("self"))
    return next((field_of(link, "href") for link in links), ""), (
        _named(user, "displayName", "emailAddress") for user in approved
    )


ASKED: Mapping[str, Callable[[Forge, str, str], tuple[str, Iterable[str]]]] = {
    "github": _github,
    "gitlab": _gitlab,
    "gitea": _gitea,
    "bitbucket": _bitbucket,
    "bitbucketServer": _bitbucket_server,
}


def _listed(forge: Forge, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    for page in islice(forge.by_link(path, missing=True, **query), _MOST_PAGES):
        yield from _dicts(page.body)


def _last_words(reviews: Iterable[Mapping[str, Any]]) -> list[str]:
    """Who approved, and did not ask for changes or was dismissed afterwards: reviews come in the order in which they were given."""
    last: dict[str, str] = {}
    for each in reviews:
        if each.get("state") in ("APPROVED", "CHANGES_REQUESTED", "REQUEST_CHANGES", "DISMISSED"):
            last[_named(each.get("user"), "full_name", "login")] = str(each["state"])
    return [name for name, state in last.items() if state == "APPROVED"]


def _merged(found: Any, is_merged: Callable[[dict[str, Any]], object]) -> dict[str, Any] | None:
    return next((each for each in _dicts(found) if is_merged(each)), None)


def _named(user: Any, name: str, handle: str) -> str:
    """`Name (handle)`, or the one of them that there is."""
    first, second = field_of(user, name), field_of(user, handle)
    return f"{first} ({second})" if first and second and first != second else first or second


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _dict(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _two(path: str) -> str:
    owner, _, name = path.rpartition("/")
    return f"{part(owner.rpartition('/')[2])}/{part(name)}"


def _word(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
