"""An application's sources rendered once, from outside a running controller: fetched, resolved, and what was read of each."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kilde.core.apps.application import Application
from kilde.core.render import Rendered
from kilde.core.secrets.sops_tree import Decrypter
from kilde.engine.rendering import Memories, Renderer
from kilde.ports.sources import Credentials, Sources

Choose = Callable[[str], Credentials]  # what opens a repository, by its URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A part, a revision and a memory for each source."""

    revisions: tuple[str, ...]
    parts: tuple[Rendered, ...]
    memories: Memories


async def look(
    sources: Sources,
    app: Application,
    credentials: Choose,
    *,
    revision: str = "",
    revisions: Mapping[int, str] | None = None,
    sops: Decrypter | None = None,
) -> Looked:
    """Fetches and renders. `revision`: of the first source, `revisions`: by place, instead of those that are asked for. KildeError."""
    found = await resolved(sources, app, credentials, revision=revision)
    found = tuple((revisions or {}).get(number, sha) for number, sha in enumerate(found))
    return await looked_at(sources, app, credentials, found, sops=sops)


async def resolved(sources: Sources, app: Application, credentials: Choose, *, revision: str = "") -> tuple[str, ...]:
    """The commit of each source, freshly fetched. Raises KildeError."""
    for url in dict.fromkeys(source.url for source in app.sources):
        await sources.fetch(url, credentials(url))
    words = [source.target_revision for source in app.sources]
    words[0] = revision or words[0]
    return tuple([await sources.resolve(source.url, word) for source, word in zip(app.sources, words, strict=True)])


async def looked_at(
    sources: Sources,
    app: Application,
    credentials: Choose,
    revisions: tuple[str, ...],
    *,
    sops: Decrypter | None = None,
) -> Looked:
    """Renders what has been fetched. Raises KildeError."""
    with renderer(sources, credentials) as made:
        result, memories = await made.render(app.sources, revisions, (), project=app.project, sops=sops)
    return Looked(revisions=revisions, parts=result.parts or (), memories=memories)


@contextlib.contextmanager
def renderer(sources: Sources, credentials: Choose) -> Iterator[Renderer]:
    """A renderer for one look, closed afterwards. Remote bases are refused."""

    async def fetch(url: str) -> None:
        await sources.fetch(url, credentials(url))

    made = Renderer(sources, fetch=fetch, allow_remote=lambda project, url: False)
    try:
        yield made
    finally:
        made.close()
