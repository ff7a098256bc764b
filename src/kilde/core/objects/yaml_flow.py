"""Writes YAML's flow style on one line: what goes between the braces and brackets of what a person wrote that way."""

from typing import Any

from kilde.core.objects.yaml_writer import double_quoted, inline, needs_quotes, plain_allowed, sort_keys

_INDICATORS = frozenset(",[]{}\n")


def flow_text(value: Any, *, as_json: bool = False) -> str:
    """A value in flow style; `as_json`: every string in double quotes, as JSON demands."""
    if isinstance(value, dict):
        return "{" + ", ".join(flow_entry(key, value[key], as_json=as_json) for key in sort_keys(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow_text(item, as_json=as_json) for item in value) + "]"
    if not isinstance(value, str):
        return inline(value, 0, 0)
    if as_json:
        import json

        return json.dumps(value, ensure_ascii=False)
    is_plain = not (_INDICATORS & set(value)) and not needs_quotes(value) and plain_allowed(value)
    return value if is_plain and value.isprintable() else double_quoted(value)


def flow_entry(key: str, value: Any, *, as_json: bool = False) -> str:
    """One entry of a flow mapping."""
    return f"{flow_text(key, as_json=as_json)}: {flow_text(value, as_json=as_json)}"
