"""FunctionPrograms: KRM functions and plugins run for real, on this machine, with the rights of whoever builds."""

import os
import tempfile
from pathlib import Path

from kilde.adapters.programs.running import run
from kilde.core.basics.errors import RenderFailed
from kilde.core.render.outside import FunctionSettings, Program


class FunctionPrograms:
    """Keeps the promises of core's Functions. `close` removes what was written."""

    def __init__(self, settings: FunctionSettings) -> None:
        self._settings = settings
        self._written: list[Path] = []

    @property
    def settings(self) -> FunctionSettings:
        return self._settings

    def run(self, program: Program, stdin: bytes, *, shown: bool) -> tuple[int, bytes, str]:
        variables = dict(pair.split("=", 1) for pair in program.variables)
        command = [program.path, *program.arguments]
        return run(command, folder=program.folder, variables=variables, stdin=stdin, shown=shown)

    def plugin(self, group: str, version: str, kind: str) -> str:
        path = _plugin_home() / group / version / kind.lower() / kind
        if path.exists():
            if not os.access(path, os.X_OK):
                raise RenderFailed("the plugin is not executable", about=str(path))
            return str(path)
        if path.with_name(f"{kind}.so").exists():
            raise RenderFailed(
                "Go plugins are not loaded", about=str(path.with_name(f"{kind}.so")), hint="make it an executable"
            )
        raise RenderFailed("there is no such plugin", about=str(path))

    def configured(self, text: str) -> str:
        handle, name = tempfile.mkstemp(prefix="kust-plugin-config-")
        self._written.append(Path(name))
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def close(self) -> None:
        for path in self._written:
            path.unlink(missing_ok=True)
        self._written.clear()


def _plugin_home() -> Path:
    """The first of kustomize's places that is there. Raises RenderFailed if none is."""
    home, config = os.environ.get("HOME") or "~", os.environ.get("XDG_CONFIG_HOME", "")
    places = [
        os.environ.get("KUSTOMIZE_PLUGIN_HOME", ""),
        f"{config}/kustomize/plugin" if config else "",
        f"{home}/.config/kustomize/plugin",
        f"{home}/kustomize/plugin",
    ]
    for place in places:
        if place and Path(place).exists():
            return Path(place)
    raise RenderFailed("there is no folder of plugins", hint="set KUSTOMIZE_PLUGIN_HOME")
