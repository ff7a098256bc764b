"""Stage 2: from the files of a revision to the objects they mean."""

from kilde.core.render.cache import RenderCache
from kilde.core.render.kustomize.build import BuildOptions, Built
from kilde.core.render.rendering import kustomize_build, render
from kilde.core.render.source import DirectoryOptions, KustomizeOptions, Rendered, RenderSource

__all__ = [
    "BuildOptions",
    "Built",
    "DirectoryOptions",
    "KustomizeOptions",
    "RenderCache",
    "RenderSource",
    "Rendered",
    "kustomize_build",
    "render",
]
