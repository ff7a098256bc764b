"""`kilde build`: what `kustomize build` prints, with its flags and its exit codes."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from kilde.cli.like_kustomize import LikeKustomize

if TYPE_CHECKING:
    from kilde.core.basics.errors import KildeError
    from kilde.core.render import Built

_RESTRICTORS = ("LoadRestrictionsRootOnly", "LoadRestrictionsNone")
_OLD_FLAGS = {  # kustomize's own words
    "reorder": "use the new 'sortOptions' field in kustomization.yaml instead.",
    "managed_by": "The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the"
    " `buildMetadata` field instead.",
}
_MANAGED_BY_VARIABLE = "KUSTOMIZE_ENABLE_MANAGEDBY_LABEL"


@click.command(
    cls=LikeKustomize,
    short_help="Print what a kustomization builds.",
    epilog="Example: kilde build apps/overlays/production | kubectl diff -f -",
)
@click.argument("folder", metavar="DIR", default=".")
@click.option(
    "-o", "--output", metavar="PATH", help="Write to this file, or into this folder one file for each object."
)
@click.option(
    "--load-restrictor",
    default=_RESTRICTORS[0],
    show_default=True,
    help=f"'{_RESTRICTORS[1]}' lets a kustomization read files outside of its folder.",
)
@click.option(
    "--reorder", default="", metavar="legacy|none", help="Order of the objects where sortOptions says nothing."
)
@click.option(
    "--explain", is_flag=True, help="Print what was read, and what was looked for in vain, to standard error."
)
@click.option("--enable-managedby-label", "managed_by", is_flag=True, help="Label every object with who built it.")
@click.option("--enable-helm", is_flag=True, help="Accepted; charts are refused with a clear error for now.")
@click.option("--helm-command", default="helm", metavar="PATH", help="Accepted for --enable-helm.")
@click.option("--helm-api-versions", multiple=True, metavar="VERSION", help="Accepted for --enable-helm.")
@click.option("--helm-kube-version", metavar="VERSION", help="Accepted for --enable-helm.")
@click.option("--helm-debug", is_flag=True, help="Accepted for --enable-helm.")
@click.option("--enable-alpha-plugins", is_flag=True, help="Accepted; only built-in plugins run.")
@click.option("--enable-exec", is_flag=True, help="Accepted; functions are never run.")
@click.option("--as-current-user", is_flag=True, help="Accepted for functions.")
@click.option("-e", "--env", multiple=True, metavar="VARIABLE", help="Accepted for functions.")
@click.option("--mount", multiple=True, metavar="MOUNT", help="Accepted for functions.")
@click.option("--network", is_flag=True, help="Accepted for functions.")
@click.option("--network-name", default="bridge", metavar="NAME", help="Accepted for functions.")
@click.option("--stack-trace", is_flag=True, hidden=True)
def command(folder: str, output: str | None, load_restrictor: str, reorder: str, **flags: Any) -> None:
    """Build the kustomization in DIR (default: here) and print the objects, byte for byte as `kustomize build` does."""
    from kilde.core.basics.errors import KildeError

    if load_restrictor not in _RESTRICTORS:
        _fail(f"illegal flag value --load-restrictor {load_restrictor}; legal values: {list(_RESTRICTORS)}")
    if reorder not in ("", "legacy", "none"):
        _fail(f"illegal flag value --reorder {reorder}; legal values: ['legacy', 'none']")
    for name, given in (("reorder", reorder), ("managed_by", flags["managed_by"])):
        if given:
            flag = "enable-managedby-label" if name == "managed_by" else name
            click.echo(f"Flag --{flag} has been deprecated, {_OLD_FLAGS[name]}", err=True)
    try:
        place = Path(folder).resolve()
        if not place.is_dir():
            _fail(f"'{folder}' doesn't exist" if not place.exists() else f"'{folder}' is no folder")
        managed_by = flags["managed_by"] or os.environ.get(_MANAGED_BY_VARIABLE) == "on"
        built, seen = _build(
            place, reorder=reorder, restricted=load_restrictor == _RESTRICTORS[0], managed_by=managed_by
        )
        for warning in built.warnings:
            click.echo(warning, err=True)
        _write(built, output)
    except KildeError as error:
        _fail(_told(error))
    if flags["explain"]:
        for path in seen:
            click.echo(path, err=True)


def _build(place: Path, *, reorder: str, restricted: bool, managed_by: bool) -> "tuple[Built, list[str]]":
    """The build, and a line for everything that was looked at."""
    from kilde.adapters.folder import FolderTree
    from kilde.core.render import BuildOptions, kustomize_build
    from kilde.core.source.tree import TracedTree

    tree = TracedTree(FolderTree(place.anchor, contained=restricted))
    options = BuildOptions(reorder=reorder, restricted=restricted, managed_by=managed_by)
    built = kustomize_build(tree, place.as_posix().strip("/"), options)
    return built, [f"{oid or 'absent':40} {_shown(path)}" for path, oid in sorted(tree.trace.seen.items())]


def _write(built: "Built", output: str | None) -> None:
    if output is None:
        click.echo(built.text(), nl=False)
        return
    target = Path(output)
    if not target.is_dir():
        target.write_text(built.text(), encoding="utf-8")
        return
    for name, text in built.files():
        (target / name).write_text(text, encoding="utf-8")


def _shown(path: str) -> str:
    """A path as seen from the working folder."""
    return os.path.relpath("/" + path)


def _told(error: "KildeError") -> str:
    where = ""
    if error.place is not None:
        line = f":{error.place.line}" if error.place.line else ""
        column = f":{error.place.column}" if line and error.place.column else ""
        where = _shown(error.place.file) + line + column
    head = ": ".join(part for part in (where, error.about, error.what) if part)
    here = f"{Path.cwd().as_posix().strip('/')}/"  # the tree begins at the root: its paths are shown as seen from here
    return head.replace(here, "") + (f" ({error.hint})" if error.hint else "")


def _fail(message: str) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    raise click.exceptions.Exit(1)
