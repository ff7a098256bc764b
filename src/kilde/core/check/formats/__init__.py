"""How a report is written: one file a format, one line each here."""

from collections.abc import Callable, Mapping

from kilde.core.check.formats import github, gitlab, json, junit, sarif
from kilde.core.check.judging import Report

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "json": json.write,
    "sarif": sarif.write,
    "junit": junit.write,
    "github": github.write,
    "gitlab": gitlab.write,
}
"""By the word of `-o`; `text` is apart, since it knows colours."""
