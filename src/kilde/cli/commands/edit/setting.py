"""`kilde edit set`: other values for fields of the kustomization file."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from kilde.cli.commands.edit.sources import checked
from kilde.cli.kustomization_file import edit, told
from kilde.cli.like_kustomize import GroupLikeKustomize
from kilde.core.basics.errors import InvalidInput

if TYPE_CHECKING:
    from kilde.core.render.kustomize.edit.fields import Change

_ARGUMENTS = click.argument("arguments", nargs=-1)


@click.group(
    cls=GroupLikeKustomize,
    epilog="Example: kilde edit set namespace staging",
    short_help="Set the values of fields.",
)
def command() -> None:
    """Sets the values of fields; a field that is not there is added."""


def _edit(change: "Callable[[], Change]") -> None:
    told(lambda: edit(change()))


@command.command(
    "image",
    epilog="Example: kilde edit set image postgres=eu.example.org/postgres:17 web=*:v2 node@sha256:24a0c4b4",
    short_help="Set images: new names, tags or digests.",
)
@click.argument("arguments", nargs=-1, metavar="NAME[=NEW_NAME][:TAG][@DIGEST]...")
def image(arguments: tuple[str, ...]) -> None:
    """Sets new names, tags or digests of images; an entry with the same name is replaced.

    An asterisk in the place of the new name, tag or digest keeps what the entry says.
    """
    from kilde.core.render.kustomize.edit.images import set_images

    _edit(lambda: set_images(arguments))


@command.command(
    "replicas", epilog="Example: kilde edit set replicas web=3 worker=1", short_help="Set counts of replicas."
)
@click.argument("arguments", nargs=-1, metavar="NAME=COUNT...")
def replicas(arguments: tuple[str, ...]) -> None:
    """Sets the count of replicas of objects by their names."""
    from kilde.core.render.kustomize.edit.images import set_replicas

    _edit(lambda: set_replicas(arguments))


def _set_text(field: str, noun: str, arguments: tuple[str, ...]) -> None:
    from kilde.core.render.kustomize.edit.fields import set_text

    def change() -> "Change":
        if len(arguments) != 1:
            raise InvalidInput(f"must specify exactly one {noun} value")
        return set_text(field, arguments[0])

    _edit(change)


@command.command("namespace", epilog="Example: kilde edit set namespace staging", short_help="Set the namespace.")
@_ARGUMENTS
def namespace(arguments: tuple[str, ...]) -> None:
    """Sets the field namespace; "" takes it away."""
    _set_text("namespace", "namespace", arguments)


@command.command("nameprefix", epilog="Example: kilde edit set nameprefix acme-", short_help="Set the name prefix.")
@_ARGUMENTS
def nameprefix(arguments: tuple[str, ...]) -> None:
    """Sets the field namePrefix; "" takes it away."""
    _set_text("namePrefix", "prefix", arguments)


@command.command("namesuffix", epilog="Example: kilde edit set namesuffix -- -dev", short_help="Set the name suffix.")
@_ARGUMENTS
def namesuffix(arguments: tuple[str, ...]) -> None:
    """Sets the field nameSuffix; "" takes it away. Write -- before one that begins with a dash."""
    _set_text("nameSuffix", "suffix", arguments)


@command.command("label", epilog="Example: kilde edit set label app:web tier:front", short_help="Set common labels.")
@click.argument("arguments", nargs=-1, metavar="KEY:VALUE...")
def label(arguments: tuple[str, ...]) -> None:
    """Sets labels in commonLabels; those that are there are overwritten."""
    from kilde.core.render.kustomize.edit.metadata import parse_pairs, set_pairs

    _edit(lambda: set_pairs("commonLabels", parse_pairs("label", arguments)))


@command.command(
    "annotation", epilog="Example: kilde edit set annotation owner:web-team", short_help="Set common annotations."
)
@click.argument("arguments", nargs=-1, metavar="KEY:VALUE...")
def annotation(arguments: tuple[str, ...]) -> None:
    """Sets annotations in commonAnnotations; those that are there are overwritten."""
    from kilde.core.render.kustomize.edit.metadata import check_annotation_keys, parse_pairs, set_pairs

    def change() -> "Change":
        pairs = parse_pairs("annotation", arguments)
        check_annotation_keys(pairs)
        return set_pairs("commonAnnotations", pairs)

    _edit(change)


@command.command(
    "buildmetadata",
    epilog="Example: kilde edit set buildmetadata originAnnotations,managedByLabel",
    short_help="Set the options of buildMetadata.",
)
@click.argument("arguments", nargs=-1, metavar="OPTION[,OPTION...]")
def buildmetadata(arguments: tuple[str, ...]) -> None:
    """Sets buildMetadata to these options alone: originAnnotations, transformerAnnotations, managedByLabel."""
    from kilde.core.render.kustomize.edit.lists import build_options, set_build_options

    _edit(lambda: set_build_options(build_options(arguments)))


def _literals(noun: str) -> None:
    @command.command(
        noun,
        epilog=f"Example: kilde edit set {noun} settings --from-literal=level=debug",
        short_help=f"Set values of a {noun}'s keys, or its namespace.",
        help=f"Sets the values of keys that an entry of {noun}Generator has as literals, or moves it to another namespace.",
    )
    @click.argument("arguments", nargs=-1, metavar="NAME")
    @click.option("--from-literal", "literals", multiple=True, metavar="KEY=VALUE", help="A key and its new value.")
    @click.option("--namespace", default="", metavar="NAME", help="The entry's namespace now.")
    @click.option("--new-namespace", default="", metavar="NAME", help="The entry's new namespace.")
    def set_one(arguments: tuple[str, ...], literals: tuple[str, ...], namespace: str, new_namespace: str) -> None:
        from kilde.core.render.kustomize.edit.generators import CONFIG_MAPS, SECRETS, set_literals

        generator = CONFIG_MAPS if noun == "configmap" else SECRETS

        def change() -> "Change":
            if len(arguments) != 1:
                raise InvalidInput("name must be specified once")
            return set_literals(
                generator, arguments[0], namespace, literals, new_namespace, partial(checked, generator.field)
            )

        _edit(change)


_literals("configmap")
_literals("secret")
