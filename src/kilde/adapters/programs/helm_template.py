"""HelmTemplate: `helm template` for an application, in a private folder, with nothing of ours: no home, no cluster, no plugins.

What the chart may do is bounded: time, memory, output. The folder is gone when the call ends.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kilde.adapters.programs.running import run
from kilde.core.basics.errors import RenderFailed

_SECONDS = 90.0
_MEMORY = 4 << 30  # bytes of address space: Go reserves more than it uses
_OUTPUT = 64 << 20
_LONGEST = 2000  # characters of helm's words
_FILE_FLAGS = ("--values", "--set-file")


class HelmTemplate:
    """Keeps the promises of core's Helm. `command` is a name to look for or a path."""

    def __init__(self, command: str = "helm", *, seconds: float = _SECONDS) -> None:
        self._command, self._seconds = command, seconds

    def template(self, files: Mapping[str, bytes], folder: str, arguments: Sequence[str], values: bytes) -> bytes:
        program = shutil.which(self._command)
        if program is None:
            raise RenderFailed(
                f"the program '{self._command}' is not there", hint="install helm, or name it with --helm-command"
            )
        with tempfile.TemporaryDirectory(prefix="kilde-helm-") as name:
            root, home = Path(name) / "files", Path(name) / "home"
            home.mkdir(mode=0o700)
            _write(root, files)
            chart = root / folder.lstrip("/")
            command = [program, "template", ".", *_placed(arguments, root)]
            code, output, said = run(
                command,
                folder=str(chart),
                variables=_environment(home),
                inherit=False,
                stdin=values,
                seconds=self._seconds,
                most=_OUTPUT,
                memory=_MEMORY,
            )
        if code:
            said = (
                said.strip()
                .replace(str(root), "<path to cached source>")
                .replace(name, "<path to cached source>")[:_LONGEST]
            )
            asked = " ".join(["helm template .", *_told(arguments)])
            raise RenderFailed(
                "rpc error: code = Unknown desc = failed to execute helm template command: failed running helm: "
                f"`{asked}` failed exit status {code}: {said}"
            )
        return output


def _environment(home: Path) -> dict[str, str]:
    """All that helm sees. Without a kubeconfig and a service account it cannot find a cluster."""
    return {
        "PATH": "/nonexistent",
        "HOME": str(home),
        "TMPDIR": str(home),
        "HELM_CONFIG_HOME": str(home / "config"),
        "HELM_CACHE_HOME": str(home / "cache"),
        "HELM_DATA_HOME": str(home / "data"),
        "HELM_PLUGINS": str(home / "none"),
        "HELM_NO_PLUGINS": "1",
        "KUBECONFIG": "/dev/null",
        "GOMAXPROCS": "2",
        "GOMEMLIMIT": "1GiB",
    }


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        place = Path(_place(name, root))
        if ".." in place.parts:
            raise RenderFailed("leaves its folder", about=name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_bytes(content)


def _place(name: str, root: Path) -> str:
    """Where a file lies. Those of other sources are beside the chart's, which sees all files of its folder."""
    return f"{root}{name}" if not name.startswith("/.refs/") else f"{root.parent}{name}"


def _placed(arguments: Sequence[str], root: Path) -> list[str]:
    """The arguments with the paths of files where they were written."""
    out: list[str] = []
    for argument in arguments:
        flag = out[-1] if out else ""
        if flag == "--values" and argument.startswith("/"):
            argument = _place(argument, root)
        elif flag == "--set-file":
            name, _, path = argument.partition("=/")
            argument = f"{name}={_place(f'/{path}', root)}"
        out.append(argument)
    return out


def _told(arguments: Sequence[str]) -> list[str]:
    """The arguments for people, as Argo CD tells them: no API versions, and no values, which may be secret."""
    out: list[str] = []
    skip = ""
    for argument in arguments:
        if skip in ("--set", "--set-string"):
            argument = f"{argument.partition('=')[0]}=******"
        if skip == "--api-versions" or argument == "--api-versions":
            if "<api versions removed>" not in out:
                out.append("<api versions removed>")
        elif skip == "--values" and argument.startswith("/"):
            out.append(f"<path to cached source>{argument}")
        else:
            out.append(argument)
        skip = argument if argument.startswith("--") else ""
    return out
