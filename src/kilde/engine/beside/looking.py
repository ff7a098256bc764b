"""An application's sources rendered once, from outside a running controller: fetched, resolved, and what was read of each."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kilde.core.apps.application import Application
from kilde.core.render import Rendered, Surroundings
from kilde.core.render.kustomize.settings import DEFAULT_KUSTOMIZE, KustomizeSettings
from kilde.core.render.outside import NOTHING_OUTSIDE, Outside
from kilde.core.secrets.sops_tree import Decrypter
from kilde.engine.sources.remotes import Download
from kilde.engine.sources.rendering import Memories, Renderer
from kilde.ports.cluster import Cluster, Discovery
from kilde.ports.sources import Credentials, Sources

Choose = Callable[[str], Credentials]  # what opens a repository, by its URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A part, a revision and a memory for each source."""

    revisions: tuple[str, ...]
    parts: tuple[Rendered, ...]
    memories: Memories


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """What a look takes: repositories and what opens them, programs that render, and the cluster that charts ask about, if there is one."""

    sources: Sources
    credentials: Choose
    programs: Outside = NOTHING_OUTSIDE
    cluster: Cluster | None = None
    sops: Decrypter | None = None
    download: Download | None = None
    named: Callable[[str], str] = lambda name: ""  # the address of the chart repository that is called so
    permits: Callable[[str], bool] = lambda url: False  # whether a chart may depend on charts of that repository
    kustomize: KustomizeSettings = DEFAULT_KUSTOMIZE
    allows_raw: bool = False  # whether the project allows Secrets in plain text


async def served_by(cluster: Cluster, discovery: Discovery) -> tuple[str, tuple[str, ...]]:
    """The cluster's version, and all that it serves as `group/version` and `group/version/Kind`, as `helm template` takes it."""
    found = set()
    for kind in discovery.all():
        for version in discovery.versions(kind.group, kind.kind):
            api = f"{kind.group}/{version}" if kind.group else version
            found |= {api, f"{api}/{kind.kind}"}
    return (await cluster.version()).removeprefix("v").partition("-")[0].partition("+")[0], tuple(sorted(found))


def surroundings(
    app: Application, kustomize: KustomizeSettings, version: str = "", apis: tuple[str, ...] = ()
) -> Surroundings:
    """What the renders of an application's sources know beside files. `version` and `apis`: what the cluster serves."""
    return Surroundings(
        app=app.name,
        namespace=app.destination.namespace,
        project=app.project,
        kube_version=version,
        api_versions=apis,
        kustomize=kustomize,
    )


async def look(
    eyes: Eyes,
    app: Application,
    *,
    revision: str = "",
    revisions: Mapping[int, str] | None = None,
) -> Looked:
    """Fetches and renders. `revision`: of the first source, `revisions`: by place, instead of those that are asked for. KildeError."""
    found = await resolved(eyes, app, revision=revision)
    found = tuple((revisions or {}).get(number, sha) for number, sha in enumerate(found))
    return await looked_at(eyes, app, found)


async def resolved(eyes: Eyes, app: Application, *, revision: str = "") -> tuple[str, ...]:
    """The commit of each source, freshly fetched. Raises KildeError."""
    for url in dict.fromkeys(source.url for source in app.sources):
        await eyes.sources.fetch(url, eyes.credentials(url))
    words = [source.target_revision for source in app.sources]
    words[0] = revision or words[0]
    return tuple(
        [
            await eyes.sources.resolve(source.url, word, tag_prefix=source.tag_prefix)
            for source, word in zip(app.sources, words, strict=True)
        ]
    )


async def looked_at(eyes: Eyes, app: Application, revisions: tuple[str, ...]) -> Looked:
    """Renders what has been fetched. Raises KildeError."""
    served: tuple[str, tuple[str, ...]] = ("", ())
    if eyes.cluster is not None:
        served = await served_by(eyes.cluster, await eyes.cluster.discovery())
    with _renderer(eyes) as made:
        result, memories = await made.render(
            app.sources, revisions, (), around=surroundings(app, eyes.kustomize, *served), sops=eyes.sops
        )
    return Looked(revisions=revisions, parts=result.parts or (), memories=memories)


@contextlib.contextmanager
def _renderer(eyes: Eyes) -> Iterator[Renderer]:
    """A renderer for one look, closed afterwards. Remote bases are refused."""

    async def fetch(project: str, url: str) -> None:
        await eyes.sources.fetch(url, eyes.credentials(url))

    made = Renderer(
        eyes.sources,
        fetch=fetch,
        allow_remote=lambda project, url: False,
        allow_chart=lambda project, url: eyes.permits(url),
        named=lambda project, name: eyes.named(name),
        programs=eyes.programs,
        download=eyes.download,
    )
    try:
        yield made
    finally:
        made.close()
