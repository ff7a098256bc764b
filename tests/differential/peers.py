"""The two servers that the fuzzer asks, a real kube-apiserver and ours, each started empty."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from differential.kinds import DEFINITIONS
from differential.sides import Ask, Pair, Side, ours_beside
from real.control_plane import control_plane

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@contextlib.contextmanager
def both(folder: Path | None = None, definitions: Sequence[Any] = DEFINITIONS) -> Iterator[Pair]:
    """Both, with these CRDs served."""
    with contextlib.ExitStack() as stack:
        root = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kilde-fuzz-")))
        plane = stack.enter_context(control_plane(root / "plane", controllers=False))
        pair = stack.enter_context(ours_beside(plane, root / "ours", "--controllers", "off"))
        pair.set_up(*(Ask("POST", _DEFINITIONS, definition) for definition in definitions))
        for definition in definitions:
            for version in definition["spec"]["versions"]:
                pair.await_served(f"/apis/fuzz.test/{version['name']}/{definition['spec']['names']['plural']}")
        yield pair


def open_namespace(side: Side, name: str) -> str:
    """A namespace with its default ServiceAccount, which no controller makes here; the resourceVersion after that."""
    for path, made in (("", name), (f"/{name}/serviceaccounts", "default")):
        answer = side.ask(Ask("POST", f"/api/v1/namespaces{path}", {"metadata": {"name": made}}))
        assert answer["code"] == 201, answer
    return str(answer["body"]["metadata"]["resourceVersion"])
