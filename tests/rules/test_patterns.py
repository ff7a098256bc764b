"""No regular expression takes for ever with a hostile text; `slow_patterns.py` tries each of them."""

import subprocess
import sys
from pathlib import Path

BOUNDED = {
    "kilde.core.check.leaks.values._PLACEHOLDER": "values are cut at LONGEST",
    "kilde.core.objects.selector._TOKEN": "spaces at the end, which alone are slow, are taken off before",
    "kilde.core.render.globs._TOKEN": "it ends at the last bracket",
    "kilde.core.render.kustomize.remote._DURATION_PART": "_DURATION has matched before",
    "kilde.core.sets.path_patterns._TOKEN": "it ends at the last bracket",
    "kilde.core.source.semver._COMPARISON": "a range has 256 characters at most",
    "kilde.core.source.semver._HYPHEN": "a range has 256 characters at most",
}


def test_a_long_text_is_looked_through_once() -> None:
    program = Path(__file__).with_name("slow_patterns.py")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True, timeout=280)
    assert set(done.stdout.split()) == set(BOUNDED)
