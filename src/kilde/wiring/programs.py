"""The programs that render what Kilde does not render itself."""

import os
from pathlib import Path

from kilde.adapters.programs.helm_template import HelmTemplate
from kilde.adapters.programs.jsonnet import JsonnetProgram
from kilde.adapters.programs.plugins import PluginPrograms, read_plugins
from kilde.core.render.outside import Outside


def programs(helm: str = "", plugins: str = "") -> Outside:
    """What renders the charts, the Jsonnet and, by plugins of a folder, all else of applications. Raises InvalidInput.

    `helm`: a path, or a name to look for; "": as KILDE_HELM_COMMAND says, else helm. `plugins`: a folder of config management plugins;
    "": as KILDE_PLUGINS says, else none.
    """
    command = helm or os.environ.get("KILDE_HELM_COMMAND", "") or "helm"
    folder = plugins or os.environ.get("KILDE_PLUGINS", "")
    return Outside(
        helm=HelmTemplate(command),
        jsonnet=JsonnetProgram(),
        plugins=PluginPrograms(read_plugins(Path(folder))) if folder else None,
    )
