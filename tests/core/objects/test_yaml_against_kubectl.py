"""Scalars as kubectl itself reads them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.objects.test_yaml_reader import SCALARS


def test_every_scalar_is_what_kubectl_sees() -> None:
    kubectl = shutil.which("kubectl", path=Path(sys.executable).parent) or shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl beside this Python (make install)")
    fields = "\n".join(f"  k{index}: {text}" for index, (text, _, _) in enumerate(SCALARS))
    manifest = f"apiVersion: example.com/v1\nkind: Foo\nmetadata: {{name: x}}\nspec:\n{fields}\n"
    command = [kubectl, "annotate", "--local", "-f", "-", "a=b", "-o", "json"]
    done = subprocess.run(command, input=manifest.encode(), capture_output=True, check=True)
    seen = json.loads(done.stdout)["spec"]
    assert {text: repr(seen[f"k{index}"]) for index, (text, _, _) in enumerate(SCALARS)} == {
        text: repr(expected) for text, expected, _ in SCALARS
    }
