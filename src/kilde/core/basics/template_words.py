"""Errors of templates in Go's words: `template: x:1: unclosed action`, `template: x:1:3: executing "x" at <f>: error calling f: …`."""

import re

from gotpl import BudgetExceededError, TemplateExecutionError, TemplateSyntaxError

_QUOTED = re.compile(r"'([^']*)'")
_UNEXPECTED = re.compile(r"^unexpected (end|else)$")
_FAILED = re.compile(r"function '([^']+)' failed: (.*)", re.DOTALL)
_SPACE = re.compile(r"\s+")


def of_syntax(name: str, template: str, error: TemplateSyntaxError) -> str:
    """Go names the line where it stopped reading."""
    said = str(error).split(": ", 1)[-1]
    said = _UNEXPECTED.sub(r"unexpected {{\1}}", said)
    line = template.count("\n") + 1 if said.startswith("unclosed action") else error.line
    if said.startswith(("function", "undefined")):
        said = _QUOTED.sub(r'"\1"', said)
    return f"template: {name}:{line}: {said}"


def of_execution(name: str, template: str, error: TemplateExecutionError) -> str:
    """Go names line, byte (from 0), the template, the command that failed, and why."""
    said = error.message
    if isinstance(error, BudgetExceededError):
        return f'template: {name}: executing "{name}": {said}'
    inner = error.template_name or name
    if error.position is None:
        return f'template: {name}: executing "{inner}": {said}'
    failed = _FAILED.fullmatch(said)
    start, command = _command(template, error.position, failed[1] if failed else "")
    if failed:
        said = f"error calling {failed[1]}: {failed[2]}"
    source = template.encode()
    before = source[:start]
    line, column = before.count(b"\n") + 1, start - (before.rfind(b"\n") + 1)
    return f'template: {name}:{line}:{column}: executing "{inner}" at <{command}>: {said}'


def _command(template: str, position: int, function: str) -> tuple[int, str]:
    """Where the failing command begins (bytes), and its text: of a pipeline that begins at `position`, the part with the function."""
    source = template.encode()
    text = source[position:].decode("utf-8", "replace")
    parts = _pipeline(text)
    chosen = (
        next((part for part in parts if part[1].split(maxsplit=1)[:1] == [function]), parts[0]) if parts else (0, "")
    )
    return position + len(text[: chosen[0]].encode()), _squeezed(chosen[1])


def _pipeline(text: str) -> list[tuple[int, str]]:
    """The commands of one action from here to its end, each with where it begins."""
    parts: list[tuple[int, str]] = []
    begin, depth, at = 0, 0, 0
    while at < len(text):
        char = text[at]
        if char in "\"`'":
            at = _after_quote(text, at)
            continue
        depth += (char == "(") - (char == ")")
        ends = depth < 0 or text.startswith(("}}", " -}}"), at)
        if ends or (char == "|" and depth == 0):
            raw = text[begin:at]
            parts.append((begin + len(raw) - len(raw.lstrip()), raw.strip()))
            begin = at + 1
        if ends:
            break
        at += 1
    return [part for part in parts if part[1]]


def _after_quote(text: str, at: int) -> int:
    quote, at = text[at], at + 1
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" and quote != "`" else 1
    return at + 1


def _squeezed(command: str) -> str:
    """One space between words, outside of quotes."""
    pieces = re.split(r"(\"(?:[^\"\\]|\\.)*\"|`[^`]*`)", command)
    return "".join(piece if piece[:1] in '"`' and piece else _SPACE.sub(" ", piece) for piece in pieces)
