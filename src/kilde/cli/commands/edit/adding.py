"""`kilde edit add`: more of what the kustomization file lists."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilde.cli.commands.edit.sources import checked, expanded
from kilde.cli.commands.edit.targets import target_options
from kilde.cli.globbing import glob
from kilde.cli.kustomization_file import edit, find, told
from kilde.cli.like_kustomize import GroupLikeKustomize
from kilde.cli.printable import printable
from kilde.core.basics.errors import InvalidInput

if TYPE_CHECKING:
    from kilde.core.render.kustomize.edit.fields import Change


@click.group(
    cls=GroupLikeKustomize,
    epilog="Example: kilde edit add resource deployment.yaml service.yaml",
    short_help="Add to the lists of the file.",
)
def command() -> None:
    """Adds to the lists of the kustomization file."""


def _edit(change: "Callable[[], Change]") -> None:
    told(lambda: edit(change()))


def _paths(patterns: Sequence[str], *, verify: bool = True) -> list[str]:
    """What is on disk, and addresses of remote repositories, which are not fetched. Raises InvalidInput for the rest."""
    from kilde.core.render.kustomize.remote import is_web_file, parse_remote

    found: list[str] = []
    for pattern in patterns:
        paths = glob(pattern) if verify else [pattern]
        if not paths and not is_web_file(pattern) and parse_remote(pattern) is None:
            raise InvalidInput("has no match", about=pattern, hint="--no-verify adds a resource that is not there yet")
        found += paths or [pattern]
    return found


def _add_paths(
    field: str, noun: str, patterns: Sequence[str], find_paths: Callable[[Sequence[str]], list[str]]
) -> None:
    from kilde.core.render.kustomize.edit.lists import add_paths

    def action() -> None:
        if not patterns:
            raise InvalidInput(f"must specify a {noun} file")
        paths = find_paths(patterns)
        if paths:
            edit(add_paths(field, noun, paths, itself=find().name))

    told(action)


@command.command(
    "resource",
    epilog="Example: kilde edit add resource deployment.yaml '*-rbac.yaml' ../base",
    short_help="Add resources.",
)
@click.argument("patterns", nargs=-1, metavar="PATH...")
@click.option("--no-verify", is_flag=True, help="Add paths as they are, whether there is such a file or not.")
def resource(patterns: tuple[str, ...], no_verify: bool) -> None:
    """Adds files, folders or addresses to resources; patterns such as *.yaml are expanded.

    The address of a remote repository is not fetched to see whether it is there.
    """
    _add_paths("resources", "resource", patterns, partial(_paths, verify=not no_verify))


@command.command(
    "component", epilog="Example: kilde edit add component ../components/tls", short_help="Add components."
)
@click.argument("patterns", nargs=-1, metavar="PATH...")
def component(patterns: tuple[str, ...]) -> None:
    """Adds folders or addresses to components."""
    _add_paths("components", "component", patterns, _paths)


def _on_disk(patterns: Iterable[str]) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        paths = glob(pattern)
        if not paths:
            click.echo(printable(f"{pattern} has no match"), err=True)
        found += paths
    return found


@command.command("generator", epilog="Example: kilde edit add generator generator.yaml", short_help="Add generators.")
@click.argument("patterns", nargs=-1, metavar="PATH...")
def generator(patterns: tuple[str, ...]) -> None:
    """Adds files with the configuration of generators to generators."""
    _add_paths("generators", "generator", patterns, _on_disk)


@command.command(
    "transformer", epilog="Example: kilde edit add transformer labels.yaml", short_help="Add transformers."
)
@click.argument("patterns", nargs=-1, metavar="PATH...")
def transformer(patterns: tuple[str, ...]) -> None:
    """Adds files with the configuration of transformers to transformers."""
    _add_paths("transformers", "transformer", patterns, _on_disk)


@command.command(
    "base", epilog="Example: kilde edit add base ../base,../monitoring", short_help="Add bases to resources."
)
@click.argument("arguments", nargs=-1, metavar="FOLDER[,FOLDER...]")
def base(arguments: tuple[str, ...]) -> None:
    """Adds folders to resources; one that is there, and one that does not exist, is an error."""
    from kilde.core.render.kustomize.edit.lists import add_once

    def change() -> "Change":
        if len(arguments) != 1:
            raise InvalidInput("must specify a base directory", hint="separate several by commas")
        return add_once("resources", "base", arguments[0].split(","), _demand)

    _edit(change)


def _demand(path: str) -> None:
    if not path or not Path(path).exists():
        raise InvalidInput("does not exist", about=path or "''")


@command.command(
    "buildmetadata",
    epilog="Example: kilde edit add buildmetadata originAnnotations",
    short_help="Add options to buildMetadata.",
)
@click.argument("arguments", nargs=-1, metavar="OPTION[,OPTION...]")
def buildmetadata(arguments: tuple[str, ...]) -> None:
    """Adds options to buildMetadata: originAnnotations, transformerAnnotations, managedByLabel."""
    from kilde.core.render.kustomize.edit.lists import add_once, build_options

    _edit(lambda: add_once("buildMetadata", "buildMetadata option", build_options(arguments)))


@command.command(
    "annotation", epilog="Example: kilde edit add annotation owner:web-team", short_help="Add annotations."
)
@click.argument("arguments", nargs=-1, metavar="KEY:VALUE...")
@click.option("-f", "--force", is_flag=True, help="Overwrite those that are there.")
def annotation(arguments: tuple[str, ...], force: bool) -> None:
    """Adds annotations to commonAnnotations; one that is there is an error."""
    from kilde.core.render.kustomize.edit.metadata import add_pairs, parse_pairs

    _edit(lambda: add_pairs("commonAnnotations", "annotation", parse_pairs("annotation", arguments), force=force))


@command.command(
    "label", epilog="Example: kilde edit add label tier:front --without-selector", short_help="Add labels."
)
@click.argument("arguments", nargs=-1, metavar="KEY:VALUE...")
@click.option("-f", "--force", is_flag=True, help="Overwrite those that are there.")
@click.option("--without-selector", is_flag=True, help="Add to labels, which leave selectors alone.")
@click.option("--include-templates", is_flag=True, help="Label templates, too; needs --without-selector.")
def label(arguments: tuple[str, ...], force: bool, without_selector: bool, include_templates: bool) -> None:
    """Adds labels to commonLabels; one that is there is an error."""
    from kilde.core.render.kustomize.edit.metadata import add_pairs, add_plain_labels, parse_pairs

    def change() -> "Change":
        if include_templates and not without_selector:
            raise InvalidInput("--without-selector flag must be specified for --include-templates to work")
        pairs = parse_pairs("label", arguments)
        if without_selector:
            return add_plain_labels(pairs, templates=include_templates, force=force)
        return add_pairs("commonLabels", "label", pairs, force=force)

    _edit(change)


@command.command(
    "patch",
    epilog="Example: kilde edit add patch --path patch.yaml --kind Deployment --name web",
    short_help="Add a patch.",
)
@target_options
def patch(path: str, patch: str, **target: str) -> None:
    """Adds a patch, a file or its text, to patches; with a target it is for what the target selects."""
    from kilde.core.render.kustomize.edit.patches import add_patch, patch_entry

    def change() -> "Change":
        entry = patch_entry(path, patch, target)
        if not path and not patch:
            raise InvalidInput("must provide either patch or path", hint="give --path or --patch")
        return add_patch(entry)

    _edit(change)


def _generated(noun: str, *more: Callable[[Any], Any]) -> None:
    def add_one(arguments: tuple[str, ...], files: tuple[str, ...], **given: Any) -> None:
        from kilde.core.render.kustomize.edit.generators import CONFIG_MAPS, SECRETS, Sources, add_sources

        made = CONFIG_MAPS if noun == "configmap" else SECRETS

        def change() -> "Change":
            paths = expanded(files)
            if len(arguments) != 1:
                raise InvalidInput("name must be specified once")
            return add_sources(made, Sources(arguments[0], files=paths, **given), partial(checked, made.field))

        _edit(change)

    options = (
        click.argument("arguments", nargs=-1, metavar="NAME"),
        click.option("--from-file", "files", multiple=True, metavar="[KEY=]PATH", help="Files; patterns are expanded."),
        click.option("--from-literal", "literals", multiple=True, metavar="KEY=VALUE", help="A key and its value."),
        click.option("--from-env-file", "env", default="", metavar="PATH", help="A file of lines KEY=VALUE."),
        click.option("--namespace", default="", metavar="NAME", help=f"The namespace of the {noun}."),
        click.option("--disableNameSuffixHash", "no_hash", is_flag=True, help="Its name without a hash."),
        *more,
    )
    for option in reversed(options):
        add_one = option(add_one)
    command.command(
        noun,
        epilog=f"Example: kilde edit add {noun} settings --from-literal=level=debug --from-file=app.conf",
        short_help=f"Add a {noun}, or sources to one.",
        help=f"Adds an entry to {noun}Generator, or sources to the one with this name and namespace.",
    )(add_one)


_generated(
    "configmap",
    click.option("--behavior", default="", metavar="create|merge|replace", help="What becomes of a base's one."),
)
_generated("secret", click.option("--type", "kind", default="Opaque", show_default=True, help="The type of a new one."))
