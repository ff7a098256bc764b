"""HelmProgram: charts inflated by the user's helm binary; its configuration, cache and data homes are what kustomize sets."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kilde.adapters.programs.running import run
from kilde.core.basics.errors import RenderFailed
from kilde.core.render.outside import ChartSettings

_LONGEST = 2000  # characters of helm's words


class HelmProgram:
    """Keeps the promises of core's Charts. `close` removes what was written."""

    def __init__(self, command: str, settings: ChartSettings) -> None:
        self._command, self._settings = command, settings
        self._scratches: list[str] = []

    @property
    def settings(self) -> ChartSettings:
        return self._settings

    def run(self, arguments: Sequence[str], config_home: str) -> bytes:
        if shutil.which(self._command) is None:
            raise RenderFailed(
                f"the program '{self._command}' is not there", hint="install helm, or name it with --helm-command"
            )
        homes = {
            "HELM_CONFIG_HOME": config_home,
            "HELM_CACHE_HOME": f"{config_home}/.cache",
            "HELM_DATA_HOME": f"{config_home}/.data",
        }
        code, output, said = run([self._command, *arguments], variables=homes)
        if code:
            if "--debug" in arguments:
                said = f"{said}\nHelm template:\n{output.decode('utf-8', 'replace')}"
            raise RenderFailed(f"helm {arguments[0]} ended with code {code}: {said.strip()[:_LONGEST]}")
        return output

    def is_folder(self, path: str) -> bool:
        return Path(path).is_dir()

    def scratch(self) -> str:
        self._scratches.append(tempfile.mkdtemp(prefix="kilde-helm-"))
        return self._scratches[-1]

    def write(self, path: str, content: bytes) -> None:
        Path(path).write_bytes(content)

    def close(self) -> None:
        for folder in self._scratches:
            shutil.rmtree(folder, ignore_errors=True)
        self._scratches.clear()
