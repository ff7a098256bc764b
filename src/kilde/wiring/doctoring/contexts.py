"""What the doctor looks at in a kubeconfig: what each context's user may do."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import kubeconfig
from kilde.adapters.cluster.client import KubeCluster
from kilde.core.basics.errors import KildeError
from kilde.core.doctor import contexts
from kilde.core.doctor.finding import Finding
from kilde.ports.cluster import Resource

_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)


async def look_at_contexts(files: Sequence[Path], *, production: str) -> list[Finding]:
    """Every context of these kubeconfigs: may its user delete namespaces? One finding each, production first."""
    names, current = kubeconfig.contexts(files)
    found = await asyncio.gather(*(_context(files, name, current=name == current) for name in names))
    judged = [(contexts.is_production(each, production), each) for each in found]
    modes = [finding for file in files if file.exists() for finding in _mode(file)]
    ordered = sorted(judged, key=lambda pair: (not pair[0], pair[1].name))
    return [*modes, *(contexts.judge_context(each, production=dangerous) for dangerous, each in ordered)]


def _mode(file: Path) -> Iterator[Finding]:
    found = contexts.judge_file(str(file), file.stat().st_mode)
    if found is not None:
        yield found


async def _context(files: Sequence[Path], name: str, *, current: bool) -> contexts.Context:
    clock, server, insecure = SystemClock(), "", False
    try:
        access = kubeconfig.load(files, clock, context=name)
        server, insecure = access.server, access.insecure
        cluster = KubeCluster(access, clock)
        try:
            async with asyncio.timeout(15):
                deletes = await cluster.allowed("delete", _NAMESPACES)
        finally:
            await cluster.close()
    except TimeoutError:
        return contexts.Context(
            name=name, server=server, current=current, insecure=insecure, failure="no answer within 15 s"
        )
    except KildeError as error:
        return contexts.Context(name=name, server=server, current=current, insecure=insecure, failure=error.what)
    return contexts.Context(name=name, server=server, current=current, insecure=insecure, deletes=deletes)
