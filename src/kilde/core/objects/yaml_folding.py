"""Folded blocks (`>`) as kustomize reads them: it writes them once more before their value counts, and not quite as it read them.

A line that begins with a space gets an empty line before it; a text that begins with one loses its line breaks.
"""

from kilde.core.objects.yaml_scalars import Folded, Quoted
from kilde.core.objects.yaml_writer import literal_allowed


def folded(text: str) -> Quoted:
    """The value of a folded block."""
    if "\n" not in text or not literal_allowed(text.replace("\t", "x")):
        return Quoted(text)
    found = Folded(refolded(text))
    found.raw = text
    return found


def refolded(text: str) -> str:
    """The text of a folded block after it was written and read again."""
    return _read(_written(text).split("\n"), text)


def _written(text: str) -> str:
    out: list[str] = []
    broken, leading_space = True, True
    starts_blank = text.lstrip("\n")[:1] in ("", " ", "\t")
    for char in text:
        if char == "\n":
            if not broken and not leading_space and not starts_blank:
                out.append("\n")
            out.append("\n")
            broken = True
        else:
            if broken:
                leading_space = char in " \t"
            out.append(char)
            broken = False
    return "".join(out)


def _read(lines: list[str], text: str) -> str:
    """Folds the lines of a block; what ends it is kept as the text ends: with no line break, with one, or with all of them."""
    found, pending, leading_blank = "", "", False
    leading_break = False
    while lines and not lines[0]:
        found += "\n"
        lines = lines[1:]
    for line in lines:
        if not line:
            pending += "\n"
            continue
        blank = line[0] in " \t"
        if leading_break and not leading_blank and not blank:
            found += pending or " "
        elif leading_break:
            found += "\n" + pending
        pending, leading_break, leading_blank = "", True, blank
        found += line
    if not text.endswith("\n"):
        return found
    return found + pending if text.endswith("\n\n") else found + "\n"
