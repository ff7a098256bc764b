"""The wheel's build hook: packs the Kubernetes schemas before files are gathered."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PackSchemas(BuildHookInterface):  # type: ignore[type-arg]
    """Runs tools/pack_schemas.py; hatchling then takes its output as an artifact."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Writes the packed module; an editable install needs it too, so every version does it."""
        root = Path(self.root)
        sys.path.insert(0, str(root / "tools"))
        try:
            import pack_schemas
        finally:
            sys.path.pop(0)
        pack_schemas.main(root)
