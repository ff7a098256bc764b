"""Lists of texts: `add resource|component|base|transformer|generator|buildmetadata` and their `remove`."""

from collections.abc import Callable, Sequence

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import did_you_mean
from kilde.core.render.kustomize.edit.fields import Change, Fields, put
from kilde.core.render.kustomize.edit.go_match import go_match

BUILD_OPTIONS = ("originAnnotations", "transformerAnnotations", "managedByLabel")


def add_paths(field: str, noun: str, paths: Sequence[str], *, itself: str = "") -> Change:
    """Appends paths; one that is there is told of and left. `itself`: the kustomization's own file, never added."""

    def change(fields: Fields) -> list[str]:
        found = list(fields.get(field) or [])
        notes = []
        for path in paths:
            if path in found:
                notes.append(f"{noun} {path} already in kustomization file")
            elif path != itself:
                found.append(path)
        put(fields, field, found)
        return notes

    return change


def add_once(field: str, noun: str, items: Sequence[str], check: Callable[[str], None] = lambda _item: None) -> Change:
    """Appends items, each checked first; one that is there is an error."""

    def change(fields: Fields) -> list[str]:
        found = list(fields.get(field) or [])
        for item in items:
            check(item)
            if item in found:
                raise InvalidInput(f"{noun} {item} already in kustomization file")
            found.append(item)
        put(fields, field, found)
        return []

    return change


def remove_matching(field: str, patterns: Sequence[str]) -> Change:
    """Takes away what a pattern matches. Raises InvalidInput for a malformed pattern."""

    def change(fields: Fields) -> list[str]:
        present = fields.get(field) or []
        gone = {item for pattern in patterns for item in present if go_match(pattern, item)}
        if gone:
            put(fields, field, [item for item in present if item not in gone])
        return []

    return change


def build_options(arguments: Sequence[str]) -> list[str]:
    """The options of one comma-separated argument. Raises InvalidInput."""
    if not arguments:
        raise InvalidInput("must specify a buildMetadata option", hint=f"one of {', '.join(BUILD_OPTIONS)}")
    if len(arguments) > 1:
        raise InvalidInput("too many arguments", about=" ".join(arguments), hint="separate options by commas")
    for option in arguments[0].split(","):
        if option not in BUILD_OPTIONS:
            raise InvalidInput(
                f"invalid buildMetadata option: {option}{did_you_mean(option, BUILD_OPTIONS)}",
                hint=f"one of {', '.join(BUILD_OPTIONS)}",
            )
    return arguments[0].split(",")


def set_build_options(options: Sequence[str]) -> Change:
    """`set buildmetadata`."""

    def change(fields: Fields) -> list[str]:
        put(fields, "buildMetadata", list(options))
        return []

    return change


def remove_build_options(options: Sequence[str]) -> Change:
    """`remove buildmetadata`: those that are not there are no error."""

    def change(fields: Fields) -> list[str]:
        put(fields, "buildMetadata", [o for o in fields.get("buildMetadata") or [] if o not in options])
        return []

    return change
