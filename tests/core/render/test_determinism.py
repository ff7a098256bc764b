"""The same tree gives the same bytes, errors, digests and inputs, however Python shuffles its sets."""

import os
import subprocess
import sys

PROGRAM = """
import hashlib, random
from core.render.generated_trees import TOPS, generated, repository
from kilde.core.basics.errors import KildeError
from kilde.core.render import RenderSource, kustomize_build, render
from kilde.core.render.inputs import inputs_of
from kilde.core.source.tree import MemoryTree

found = hashlib.sha256()
trees = [(generated(seed), ("top",)) for seed in range(25)]
trees += [(repository(random.Random(seed)), TOPS) for seed in range(15)]
for files, tops in trees:
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    for top in tops:
        try:
            result = render(tree, RenderSource(path=top))
            found.update(repr((inputs_of(result.trace), result.warnings)).encode())
            found.update("".join(f"{m.digest} {m.origin}" for m in result.manifests).encode())
            found.update(kustomize_build(tree, top).text().encode())
        except KildeError as error:
            found.update(repr((type(error), str(error), error.hint)).encode())
print(found.hexdigest())
"""


def digest(seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    ).stdout


def test_what_is_rendered_does_not_depend_on_the_order_of_sets() -> None:
    first = digest("0")
    assert len(first) == 65
    assert [digest("1"), digest("4242"), digest("random")] == [first] * 3
