"""Git generators and submodules, which are folders that nothing is known of: over real Git."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.git.upstream import Special, Upstream
from core.sets.given import World, a_set
from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.core.sets.generating import generate
from kilde.core.sets.policy import ANYTHING, read_policy
from kilde.core.source.tree import Tree
from kilde.ports.sources import Credentials

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("generator", "into"),
    [
        ({"directories": [{"path": "vendor/lib/apps/*"}]}, True),
        ({"files": [{"path": "vendor/lib/config.json"}]}, True),
        ({"files": [{"path": "./vendor/lib"}]}, True),
        ({"directories": [{"path": "vendor/*"}]}, False),
        ({"directories": [{"path": "apps/*"}, {"path": "vendor/lib/x", "exclude": True}]}, False),
    ],
)
async def test_a_pattern_that_leads_into_a_submodule_is_told(
    generator: dict[str, Any], into: bool, tmp_path: Path
) -> None:
    upstream, sources = Upstream(tmp_path / "upstream"), GitSources(tmp_path / "mirrors", clock=SystemClock())
    sha = upstream.commit({"apps/one/a.yaml": "a: 1\n", "vendor/lib": Special("160000", "1" * 40)})
    await sources.fetch(upstream.url, Credentials())
    tree = await sources.tree(upstream.url, sha)

    class Real(World):
        def tree(self, url: str, revision: str, *, project: str) -> Tree:
            return tree

    spec = {"generators": [{"git": {"repoURL": upstream.url, "revision": "HEAD", **generator}}]}
    owner = a_set({**spec, "goTemplate": True, "template": {"metadata": {"name": "{{.path.basename}}"}, "spec": {}}})
    found = generate(owner, Real(), ANYTHING)
    assert ("leads into the Git submodule 'vendor/lib', which is not fetched" in found.error) is into
    passed = generate(owner, Real(), read_policy({"applicationsetcontroller.enable.git.submodule": "false"}))
    assert passed.error == ""
    names = [one["metadata"]["name"] for one in passed.applications]
    assert names == {"vendor/*": ["lib"], "apps/*": ["one"]}.get(next(iter(generator.values()))[0]["path"], [])
    await sources.close()
    await asyncio.get_running_loop().shutdown_default_executor()  # anyio ends its loop later than conftest looks
