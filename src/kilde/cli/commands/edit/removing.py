"""`kilde edit remove`: less of what the kustomization file lists."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from kilde.cli.commands.edit.targets import target_options
from kilde.cli.kustomization_file import edit, told
from kilde.cli.like_kustomize import GroupLikeKustomize
from kilde.core.basics.errors import InvalidInput

if TYPE_CHECKING:
    from kilde.core.render.kustomize.edit.fields import Change


@click.group(
    cls=GroupLikeKustomize,
    epilog="Example: kilde edit remove resource old.yaml",
    short_help="Remove from the lists of the file.",
)
def command() -> None:
    """Removes from the lists of the kustomization file."""


def _edit(change: "Callable[[], Change]") -> None:
    told(lambda: edit(change()))


def _matching(field: str, noun: str, patterns: tuple[str, ...]) -> None:
    from kilde.core.render.kustomize.edit.lists import remove_matching

    def change() -> "Change":
        if not patterns:
            raise InvalidInput(f"must specify a {noun} file")
        return remove_matching(field, patterns)

    _edit(change)


@command.command(
    "resource", epilog="Example: kilde edit remove resource old.yaml 'rbac/*.yaml'", short_help="Remove resources."
)
@click.argument("patterns", nargs=-1, metavar="PATTERN...")
def resource(patterns: tuple[str, ...]) -> None:
    """Removes the resources that match a pattern; none that matches is no error."""
    _matching("resources", "resource", patterns)


@command.command(
    "transformer", epilog="Example: kilde edit remove transformer labels.yaml", short_help="Remove transformers."
)
@click.argument("patterns", nargs=-1, metavar="PATTERN...")
def transformer(patterns: tuple[str, ...]) -> None:
    """Removes the transformers that match a pattern; none that matches is no error."""
    _matching("transformers", "transformer", patterns)


def _keys(field: str, noun: str, arguments: tuple[str, ...], *, ignore: bool) -> None:
    from kilde.core.render.kustomize.edit.metadata import remove_keys

    def change() -> "Change":
        if not arguments:
            raise InvalidInput(f"must specify {noun}")
        if len(arguments) > 1:
            raise InvalidInput(f"{noun}s must be comma-separated, with no spaces")
        return remove_keys(field, noun, arguments[0], ignore=ignore)

    _edit(change)


_IGNORE = click.option(
    "-i", "--ignore-non-existence", "ignore", is_flag=True, help="One that is not there is no error."
)


@command.command("label", epilog="Example: kilde edit remove label tier,team", short_help="Remove common labels.")
@click.argument("arguments", nargs=-1, metavar="KEY[,KEY...]")
@_IGNORE
def label(arguments: tuple[str, ...], ignore: bool) -> None:
    """Removes labels from commonLabels."""
    _keys("commonLabels", "label", arguments, ignore=ignore)


@command.command(
    "annotation", epilog="Example: kilde edit remove annotation owner", short_help="Remove common annotations."
)
@click.argument("arguments", nargs=-1, metavar="KEY[,KEY...]")
@_IGNORE
def annotation(arguments: tuple[str, ...], ignore: bool) -> None:
    """Removes annotations from commonAnnotations."""
    _keys("commonAnnotations", "annotation", arguments, ignore=ignore)


@command.command(
    "buildmetadata",
    epilog="Example: kilde edit remove buildmetadata originAnnotations",
    short_help="Remove options of buildMetadata.",
)
@click.argument("arguments", nargs=-1, metavar="OPTION[,OPTION...]")
def buildmetadata(arguments: tuple[str, ...]) -> None:
    """Removes options from buildMetadata; one that is not there is no error."""
    from kilde.core.render.kustomize.edit.lists import build_options, remove_build_options

    _edit(lambda: remove_build_options(build_options(arguments)))


@command.command(
    "patch",
    epilog="Example: kilde edit remove patch --path patch.yaml --kind Deployment --name web",
    short_help="Remove a patch.",
)
@target_options
def patch(path: str, patch: str, **target: str) -> None:
    """Removes the patch that is exactly as told, target included; none that is so is no error."""
    from kilde.core.render.kustomize.edit.patches import patch_entry, remove_patch

    _edit(lambda: remove_patch(patch_entry(path, patch, target)))


def _named(noun: str) -> None:
    @command.command(
        noun,
        epilog=f"Example: kilde edit remove {noun} settings,flags --namespace=web",
        short_help=f"Remove {noun}s.",
        help=f"Removes entries of {noun}Generator by their names; those that are not there are told of, unless none is.",
    )
    @click.argument("arguments", nargs=-1, metavar="NAME[,NAME...]")
    @click.option("--namespace", default="", metavar="NAME", help="The namespace of the entries.")
    def remove_some(arguments: tuple[str, ...], namespace: str) -> None:
        from kilde.core.render.kustomize.edit.generators import CONFIG_MAPS, SECRETS, remove_named

        def change() -> "Change":
            if not arguments:
                raise InvalidInput(f"at least one {noun} name must be specified")
            if len(arguments) > 1:
                raise InvalidInput("too many arguments", hint=f"separate the names of {noun}s by commas")
            return remove_named(CONFIG_MAPS if noun == "configmap" else SECRETS, arguments[0], namespace)

        _edit(change)


_named("configmap")
_named("secret")
