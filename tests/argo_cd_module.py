"""Where Argo CD's own test data lies on a developer's machine: in Go's module cache, if the module was ever fetched there."""

import os
from pathlib import Path
from typing import Any

import yaml

CACHE = Path(os.environ.get("GOMODCACHE") or Path(os.environ.get("GOPATH") or Path.home() / "go") / "pkg" / "mod")


def newest() -> Path | None:
    """The folder of its checks and actions, of the newest version there; None where there is none."""
    found = CACHE.glob("github.com/argoproj/argo-cd/v3@v3.*/resource_customizations")
    return max(found, key=_version, default=None)


def _version(path: Path) -> list[int]:
    numbers = path.parent.name.partition("@v")[2].partition("-")[0].split(".")
    return [int(one) for one in numbers]


class _Loader(yaml.CSafeLoader):
    """Times stay text, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> Any:
    """The first document of a file."""
    return next(iter(yaml.load_all(path.read_text(), _Loader)))
