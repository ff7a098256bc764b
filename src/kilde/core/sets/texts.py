"""Small things that both sorts of templates of ApplicationSets need."""

from typing import Any, Literal

from kilde.core.objects.yaml_reader import read_documents
from kilde.core.sets.parameters import as_go

MissingKey = Literal["default", "zero", "error"]


def short(template: str) -> str:
    """A template as an error shows it."""
    return template if len(template) <= 200 else template[:200] + "…"


def read_yaml(text: str) -> Any:
    """The first document, numbers as Go has them; None where there is none."""
    documents = read_documents(text.encode(), file="", duplicates="last")
    return as_go(documents[0].value) if documents else None
