"""Rules: which places in Vault an object may have read for it. The controller's own token can read more than any one namespace may.

Without rules of one's own, a namespace reads what lies under its name, and a project uses the transit key of its name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kilde.core.basics.reading import Reader
from kilde.core.render.globs import compile_glob
from kilde.core.secrets.vault.place import Place

_ANY = "*"
_WHOLE_REST = "**"


@dataclass(frozen=True, slots=True)
class Rule:
    """`who`: globs over the names of namespaces (or projects). `paths`: patterns of places, part by part."""

    who: tuple[str, ...]
    paths: tuple[str, ...]


def default_reads() -> tuple[Rule, ...]:
    """A namespace reads below its own name in the engine mounted at `secret`."""
    return (Rule((_ANY,), ("secret/{namespace}/**",)),)


def default_keys() -> tuple[Rule, ...]:
    """The SOPS files of a project are wrapped by the transit key of the project's name."""
    return (Rule((_ANY,), ("transit/{project}",)),)


def permits(rules: Iterable[Rule], place: Place, *, word: str, name: str) -> bool:
    """Whether somebody of that name may. `word`: what the name stands for in patterns, `namespace` or `project`.

    A part of a pattern is a text, `*` (any one part), a text that ends in `*`, or, at the end, `**` (one part or more). The name is put in
    after the pattern was taken apart: no name can widen it.
    """
    parts = str(place).split("/")
    for rule in rules:
        if any(compile_glob(who).fullmatch(name) for who in rule.who) and any(
            _fits(pattern.split("/"), parts, f"{{{word}}}", name) for pattern in rule.paths
        ):
            return True
    return False


def _fits(pattern: Sequence[str], parts: Sequence[str], variable: str, name: str) -> bool:
    if pattern[-1] == _WHOLE_REST:
        head = pattern[:-1]
        return len(parts) > len(head) and _all_fit(head, parts[: len(head)], variable, name)
    return len(pattern) == len(parts) and _all_fit(pattern, parts, variable, name)


def _all_fit(pattern: Sequence[str], parts: Sequence[str], variable: str, name: str) -> bool:
    return all(_one_fits(one, part, variable, name) for one, part in zip(pattern, parts, strict=True))


def _one_fits(one: str, part: str, variable: str, name: str) -> bool:
    if one.endswith(_ANY):
        return part.startswith(one[:-1].replace(variable, name))
    return part == one.replace(variable, name)


def read_rules(at: Reader, key: str, *, who: str, word: str, default: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules of a list; `default` where there is none (an empty list forbids all). Problems gather in the reader."""
    if not at.has(key):
        return default
    return tuple(_rule(item, who, word) for item in at.items(key))


def _rule(at: Reader, who: str, word: str) -> Rule:
    rule = Rule(at.texts(who), at.texts("paths"))
    for field, found in ((who, rule.who), ("paths", rule.paths)):
        if not found:
            at.problem(field, "must name at least one")
    for path in rule.paths:
        parts = path.split("/")
        bare = [part.replace(f"{{{word}}}", "") for part in parts]
        wild = any(_ANY in part[:-1] for part in bare[:-1]) or any(part == _WHOLE_REST for part in bare[:-1])
        is_rest = bare[-1] == _WHOLE_REST
        if wild or (_ANY in bare[-1][:-1] and not is_rest) or "" in parts or any("{" in part for part in bare):
            at.problem("paths", f"'{path}' is no pattern (write secret/{{{word}}}/**, or team/*/db)")
        elif bare[0].startswith(_ANY):
            at.problem("paths", f"'{path}' does not say which mount")
    return rule
