"""`kilde edit fix`: deprecated fields of the kustomization file become those that took their place."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli.commands.edit.sources import is_file
from kilde.cli.kustomization_file import find, read, replace, told
from kilde.cli.like_kustomize import LikeKustomize
from kilde.core.basics.errors import KildeError

if TYPE_CHECKING:
    from kilde.core.render.kustomize.edit.fields import Fields

_VARS_LEFT = """
To convert vars -> replacements, run `kilde edit fix --vars`: it may overwrite many files, and what they build may differ
from what they built. Do it in a clean Git repository, where the change is easy to undo."""


@click.command(
    cls=LikeKustomize,
    epilog="Example: kilde edit fix --vars",
    short_help="Replace deprecated fields.",
)
@click.option("--vars", "with_vars", is_flag=True, help="Turn vars into replacements, too, and their uses in files.")
def command(with_vars: bool) -> None:
    """Replaces deprecated fields and adds apiVersion and kind where they are missing; comments stay.

    Tells if the kustomization does not build what it built before.
    """
    told(lambda: _fix(with_vars=with_vars))


def _fix(*, with_vars: bool) -> None:
    from kilde.core.render.kustomize.edit.editing import edit_kustomization
    from kilde.core.render.kustomize.edit.fix import fix, fixed
    from kilde.core.render.kustomize.edit.variables import Conversion
    from kilde.core.render.kustomize.kustomization import read_fields

    path = find()
    content = read(path)
    built, _ = _built()
    conversion = Conversion(_content)
    then = conversion.change() if with_vars else _nothing
    edited = edit_kustomization(content, path.name, fix(is_file, then), fix=True, is_file=is_file)
    before, after = read_fields(content, path.name)[0], read_fields(edited.content, path.name)[0]
    for name, new in conversion.written.items():
        replace(Path(name), new)
    if edited.content != content:
        replace(path, edited.content)
    names = fixed(before, after)
    click.echo(
        "\nFixed fields:\n" + "".join(f"  {name}\n" for name in names) if names else "Nothing to fix", nl=not names
    )
    if "vars" in after:
        click.echo(_VARS_LEFT)
    _warn_of_difference(built)


def _nothing(_fields: "Fields") -> list[str]:
    return []


def _content(path: str) -> bytes | None:
    return read(Path(path)) if is_file(path) else None


def _warn_of_difference(before: str) -> None:
    after, error = _built()
    if error:
        click.echo(f"Warning: the fixed kustomization gives an error when it is built: {error}")
    elif after != before:
        click.echo(f"Warning: the fixed kustomization builds something else than before:\n...{after}...")


def _built() -> tuple[str, str]:
    """What the kustomization here builds, and why it does not."""
    from kilde.adapters.folder import FolderTree
    from kilde.core.render import BuildOptions, kustomize_build

    here = Path.cwd()
    try:
        built = kustomize_build(FolderTree(here.anchor), here.as_posix().strip("/"), BuildOptions())
        return built.text(), ""
    except KildeError as error:
        return "", str(error)
