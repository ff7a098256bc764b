"""Where an application's objects come from: the file and line in Git, looked up in the mirror that the controller keeps."""

from pathlib import Path

from kilde.cli.applications import at
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object

Origins = dict[str, str]
"""`group/kind/namespace/name` → `file:line`."""


async def origins_of(data_dir: Path, app: Object) -> Origins:
    """Of the objects at the revision it was last compared with; empty where this machine has no mirror of the repository."""
    from kilde.adapters.clock import SystemClock
    from kilde.adapters.git.sources import GitSources
    from kilde.core.apps.application import read_application
    from kilde.core.render import render

    read = read_application(app)
    sha = at(app, "status", "sync", "revision")
    if read.source is None or not sha or not (data_dir / "git").is_dir():
        return {}
    sources = GitSources(data_dir / "git", clock=SystemClock())
    try:
        rendered = render(await sources.tree(read.source.repo_url, sha), read.source.render)
    except KildeError:
        return {}  # the conditions of the application say what is wrong with it
    finally:
        await sources.close()
    found: Origins = {}
    for manifest in rendered.manifests:
        for namespace in {manifest.namespace, manifest.namespace or read.destination.namespace}:
            key = "/".join((manifest.group, manifest.kind, namespace, manifest.name))
            found[key] = str(manifest.origin or "")
    return found
