"""ForgePlace: which forge tells who reviewed the commits of a repository, as the repository's Secret says in annotations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.source.credentials import holders
from kilde.core.source.repository_url import parse

FORGE, API = "kilde.dev/forge", "kilde.dev/forge-api"
TOKEN = "forgeToken"  # noqa: S105 - the name of a key
_OWN = {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgePlace:
    """The forge's kind, the root of its API ("": the public one), the repository's path there, and where the token is.

    `host` is that of the repository: argocd-tls-certs-cm may have a CA for it.
    """

    kind: str
    api: str
    path: str
    host: str
    secret: str
    key: str


def forge_of(url: str, secrets: Iterable[Object], project: str) -> ForgePlace | None:
    """Where to ask; None where no Secret that opens the repository names a forge."""
    for secret in holders(url, secrets, project):
        annotations: Mapping[str, str] = secret["metadata"].get("annotations") or {}
        if not annotations.get(FORGE):
            continue
        try:
            place = parse(url)
        except InvalidInput:
            return None
        api = annotations.get(API, "")
        if not api and place.host not in _OWN:
            api = f"https://{place.host}" + ("/rest" if annotations[FORGE] == "bitbucketServer" else "")
        data = {**(secret.get("data") or {}), **(secret.get("stringData") or {})}
        key = next((name for name in (TOKEN, "password", "bearerToken") if data.get(name)), "")
        path = place.path.strip("/").removesuffix(".git")
        return ForgePlace(
            kind=annotations[FORGE],
            api=api,
            path=path,
            host=place.host,
            secret=str(secret["metadata"].get("name")),
            key=key,
        )
    return None
