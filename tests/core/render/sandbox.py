"""Small trees for tests of rendering."""

import textwrap

from kilde.core.render import BuildOptions, RenderCache, kustomize_build
from kilde.core.source.tree import MemoryTree

Files = dict[str, str]


def tree(files: Files) -> MemoryTree:
    """A tree of dedented texts."""
    return MemoryTree({path: textwrap.dedent(text).lstrip("\n").encode() for path, text in files.items()})


def built(files: Files, path: str = "", *, reorder: str = "none", cache: RenderCache | None = None) -> str:
    """What `kustomize build --reorder none` prints for the folder."""
    return kustomize_build(tree(files), path, BuildOptions(reorder=reorder), cache=cache).text()


def dedented(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


DEPLOYMENT = """
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: shop
    spec:
      replicas: 1
      selector:
        matchLabels: {app: shop}
      template:
        metadata:
          labels: {app: shop}
        spec:
          containers:
          - name: shop
            image: registry.example/shop:1
            ports:
            - containerPort: 8080
            env:
            - name: MODE
              value: plain
"""
SERVICE = """
    apiVersion: v1
    kind: Service
    metadata:
      name: shop
    spec:
      selector: {app: shop}
      ports:
      - port: 80
"""
