"""Where `kilde` begins: the commonest build goes straight to the renderer, everything else through the command line.

Loading the command line takes as long as building an overlay. `kilde build DIR` needs none of it, so it is tried without; where that
does not come to a plain end, the whole program does it anew and tells what there is to tell.
"""

import gc
import os
import sys

_SETTINGS = ("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL",)  # what else could change a build


def main() -> None:
    """The console script."""
    text = _built(sys.argv[1:])
    if text is None:
        from kilde.cli.main import main as whole

        whole()
    else:
        _write(text)
        os._exit(0)  # tidying up takes Python as long as building did


def _built(arguments: list[str]) -> str | None:
    """What `kilde build [DIR]` prints; None where it is called otherwise, fails, or has a warning to give."""
    if arguments[:1] != ["build"] or len(arguments) > 2 or any(name in os.environ for name in _SETTINGS):
        return None
    folder = arguments[1] if len(arguments) > 1 else "."
    if folder.startswith("-") or not os.path.isdir(folder):  # noqa: PTH112 - a Path is a slow import
        return None
    gc.disable()  # nothing of a build is garbage before its end, and that is the process's
    try:
        from kilde.adapters.folder import FolderTree
        from kilde.core.render import kustomize_build

        built = kustomize_build(FolderTree("/", ids=False), os.path.realpath(folder).strip("/"))
        return None if built.warnings else built.text()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except Exception:  # noqa: BLE001 - whatever it is, it is told on the long way
        return None
    finally:
        gc.enable()


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # whoever read has seen enough
    except OSError as error:
        sys.stderr.write(f"Error: write standard output: {error.strerror}\n")
        os._exit(1)
