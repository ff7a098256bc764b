"""What `kilde build` lets a kustomization reach beyond its files: remotes always, helm and functions where flags allow it.

Everything is loaded and started when it is first asked for: most builds ask for none of it.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kilde.core.render.outside import Charts, ChartSettings, Fetched, Functions, FunctionSettings, Outside

if TYPE_CHECKING:
    from kilde.adapters.git.clones import Clones
    from kilde.adapters.web_files import WebFiles
    from kilde.core.render.kustomize.remote import RemoteRepository
    from kilde.core.source.tree import Tree


class _UsersRemotes:
    """Remotes by the user's own git, and over http(s)."""

    def __init__(self, over: "Callable[[str], Tree]", stack: ExitStack) -> None:
        self._over, self._stack = over, stack

    @cached_property
    def _clones(self) -> "Clones":
        from kilde.adapters.git.clones import Clones

        clones = Clones(self._over)
        self._stack.callback(clones.close)
        return clones

    @cached_property
    def _web(self) -> "WebFiles":
        from kilde.adapters.web_files import WebFiles

        return WebFiles()

    def repository(self, wanted: "RemoteRepository") -> Fetched:
        return self._clones.repository(wanted)

    def file(self, url: str) -> bytes:
        return self._web.file(url)


@contextmanager
def outside_of(flags: Mapping[str, Any], over: "Callable[[str], Tree]") -> "Iterator[Outside]":
    """Yields the Outside that the flags of `kilde build` describe; what it wrote is gone when the block ends.

    `over` makes a Tree of a folder.
    """
    with ExitStack() as stack:
        charts: Charts | None = None
        functions: Functions | None = None
        if flags["enable_helm"] or flags["enable_alpha_plugins"]:  # the second enables helm, too, as in kustomize
            from kilde.adapters.programs.helm import HelmProgram

            helm = HelmProgram(flags["helm_command"], _chart_settings(flags))
            stack.callback(helm.close)
            charts = helm
        if flags["enable_alpha_plugins"]:
            from kilde.adapters.programs.functions import FunctionPrograms

            programs = FunctionPrograms(_function_settings(flags))
            stack.callback(programs.close)
            functions = programs
        yield Outside(_UsersRemotes(over, stack), charts, functions, rooted=True)


def _chart_settings(flags: Mapping[str, Any]) -> ChartSettings:
    return ChartSettings(tuple(flags["helm_api_versions"]), flags["helm_kube_version"] or "", flags["helm_debug"])


def _function_settings(flags: Mapping[str, Any]) -> FunctionSettings:
    return FunctionSettings(
        executables=flags["enable_exec"],
        network=flags["network"],
        mounts=tuple(flags["mount"]),
        variables=tuple(flags["env"]),
        user=f"{os.getuid()}:{os.getgid()}" if flags["as_current_user"] else "nobody",
    )
