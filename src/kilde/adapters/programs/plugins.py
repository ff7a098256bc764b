"""PluginPrograms: config management plugins run in a private folder, with nothing of ours: no home, no cluster, no credentials.

The programs are the choice of whoever starts Kilde (`--plugins`); what they are run on is a stranger's.
"""

import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kilde.adapters.programs.running import run
from kilde.core.basics.errors import InvalidInput, RenderFailed
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.render.outside import PluginFile, PluginRun, PluginSpec
from kilde.core.render.plugin import read_plugin

_SECONDS = 90.0  # of each command, as Argo CD's ARGOCD_EXEC_TIMEOUT
_MEMORY = 4 << 30
_OUTPUT = 64 << 20
_LONGEST = 2000  # characters of its words


class PluginPrograms:
    """Keeps the promises of core's Plugins."""

    def __init__(self, specs: tuple[PluginSpec, ...], *, seconds: float = _SECONDS) -> None:
        self._specs, self._seconds = tuple(sorted(specs)), seconds

    def known(self) -> tuple[PluginSpec, ...]:
        return self._specs

    def find(self, wanted: PluginRun) -> bool:
        with _laid_out(wanted) as (folder, home):
            return bool(self._command(wanted, wanted.plugin.find, folder, home).strip())

    def generate(self, wanted: PluginRun) -> bytes:
        with _laid_out(wanted) as (folder, home):
            if wanted.plugin.init:
                self._command(wanted, wanted.plugin.init, folder, home)
            return self._command(wanted, wanted.plugin.generate, folder, home)

    def _command(self, wanted: PluginRun, command: tuple[str, ...], folder: Path, home: Path) -> bytes:
        variables = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "TMPDIR": str(home),
            "KUBECONFIG": "/dev/null",
            **wanted.environment,
        }
        code, output, said = run(
            command,
            folder=str(folder),
            variables=variables,
            inherit=False,
            seconds=self._seconds,
            most=_OUTPUT,
            memory=_MEMORY,
        )
        if code:
            said = said.strip().replace(str(home.parent), "<path to cached source>")[:_LONGEST]
            raise RenderFailed(
                f"`{shlex.join(command)}` failed exit status {code}: {said}", about=f"plugin {wanted.plugin.name}"
            )
        return output


@contextmanager
def _laid_out(wanted: PluginRun) -> Iterator[tuple[Path, Path]]:
    """The repository on disk: the folder to work in, and a home. Both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="kilde-plugin-") as name:
        root, home = Path(name) / "files", Path(name) / "home"
        home.mkdir(mode=0o700)
        root.mkdir(mode=0o700)
        for path, file in wanted.files.items():
            _write(root / path, file, keep_mode=wanted.plugin.keep_mode)
        folder = root / wanted.folder
        folder.mkdir(parents=True, exist_ok=True)
        yield folder, home


def _write(place: Path, file: PluginFile, *, keep_mode: bool) -> None:
    if ".." in place.parts:
        raise RenderFailed("leaves its folder", about=str(place))
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.link:
        place.symlink_to(file.link)
        return
    place.write_bytes(file.content)
    place.chmod(0o700 if keep_mode and file.executable else 0o600)


def read_plugins(folder: Path) -> tuple[PluginSpec, ...]:
    """The plugins of a folder: every `*.yaml` in it, and `plugin.yaml` in its sub-folders. Raises InvalidInput."""
    files = sorted((*folder.glob("*.yaml"), *folder.glob("*/plugin.yaml")))
    found: list[PluginSpec] = []
    for file in files:
        try:
            documents = read_documents(file.read_bytes(), file=str(file))
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", about=str(file)) from None
        found += [read_plugin(document.value, str(file)) for document in documents]
    if not found:
        raise InvalidInput("there is no plugin.yaml in it", about=str(folder))
    names = [one.name for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInput(f"two plugins are named {', '.join(twice)}", about=str(folder))
    return tuple(found)
