"""Where an application's objects come from: the file and line in Git, looked up in the mirror that the controller keeps."""

from pathlib import Path

from kilde.cli.applications import under
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object

Origins = dict[str, str]
"""`group/kind/namespace/name` → `file:line`."""


async def origins_of(data_dir: Path, app: Object) -> Origins:
    """Of the objects at the revision it was last compared with; empty where this machine has no mirror of the repository."""
    from kilde.adapters.clock import SystemClock
    from kilde.adapters.git.sources import GitSources
    from kilde.core.apps.application import read_application
    from kilde.core.apps.sources import told_list
    from kilde.engine.beside.looking import Eyes, looked_at
    from kilde.ports.sources import Credentials

    read = read_application(app)
    revisions = told_list(under(app, "status", "sync") or {})
    if len(revisions) != len(read.sources) or not all(revisions) or not (data_dir / "git").is_dir():
        return {}
    sources = GitSources(data_dir / "git", clock=SystemClock())
    eyes = Eyes(sources=sources, credentials=lambda url: Credentials())
    try:
        looked = await looked_at(eyes, read, revisions)
    except KildeError:
        return {}  # the conditions of the application say what is wrong with it
    finally:
        await sources.close()
    found: Origins = {}
    for manifest in (manifest for part in looked.parts for manifest in part.manifests):
        for namespace in {manifest.namespace, manifest.namespace or read.destination.namespace}:
            key = "/".join((manifest.group, manifest.kind, namespace, manifest.name))
            found[key] = str(manifest.origin or "")
    return found
