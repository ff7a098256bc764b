"""`kilde build`: what `kustomize build` prints, with its flags and its exit codes."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from kilde.cli.like_kustomize import LikeKustomize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kilde.core.basics.errors import KildeError
    from kilde.core.render import Built
    from kilde.core.source.tree import Trace

_FORMATS = ("json", "yaml")
_RESTRICTORS = ("LoadRestrictionsRootOnly", "LoadRestrictionsNone")
_OLD_FLAGS = {  # kustomize's own words
    "reorder": "use the new 'sortOptions' field in kustomization.yaml instead.",
    "enable-managedby-label": "The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the"
    " `buildMetadata` field instead.",
}
_MANAGED_BY_FLAG, _NAMED = "--enable-managedby-label", "--managedby-label-named"
_MANAGED_BY_VARIABLE = "KUSTOMIZE_ENABLE_MANAGEDBY_LABEL"


class _Build(LikeKustomize):
    """Counts how often a deprecated flag is named: each time is told."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = [one for one in args if one.partition("=")[0] == _MANAGED_BY_FLAG]
        return super().parse_args(ctx, [_NAMED] * len(named) + args)


@click.command(
    cls=_Build,
    short_help="Print what a kustomization builds.",
    epilog="Example: kilde build apps/overlays/production | kubectl diff -f -",
)
@click.argument("places", metavar="[DIR|URL]", nargs=-1)
@click.option(
    "-o",
    "--output",
    default="",
    metavar="PATH",
    help="Write to this file, or into this folder one file for each object.",
)
@click.option(
    "--load-restrictor",
    default=_RESTRICTORS[0],
    show_default=True,
    help=f"'{_RESTRICTORS[1]}' lets a kustomization read files outside of its folder.",
)
@click.option("--reorder", metavar="legacy|none", help="Order of the objects where sortOptions says nothing.")
@click.option(
    "--explain",
    is_flag=True,
    help="Print what was read, and what was looked for in vain, to standard error; with -o json or yaml in place of the objects.",
)
@click.option(_MANAGED_BY_FLAG, "managed_by", is_flag=True, help="Label every object with who built it.")
@click.option("--enable-helm", is_flag=True, help="Let helm inflate the charts that a kustomization names.")
@click.option("--helm-command", default="helm", show_default=True, metavar="PATH", help="The helm program.")
@click.option("--helm-api-versions", multiple=True, metavar="VERSION", help="API versions that charts may count on.")
@click.option("--helm-kube-version", metavar="VERSION", help="Kubernetes version that charts may count on.")
@click.option("--helm-debug", is_flag=True, help="Have helm tell more when it fails.")
@click.option(
    "--enable-alpha-plugins", is_flag=True, help="Run containers, plugins and helm that a kustomization names."
)
@click.option(
    "--enable-exec",
    is_flag=True,
    help="Run executables that a kustomization names, too: do not use it for files you do not trust.",
)
@click.option("--as-current-user", is_flag=True, help="Run containers as you, not as nobody.")
@click.option("-e", "--env", multiple=True, metavar="NAME[=VALUE]", help="A variable for functions.")
@click.option(
    "--mount", multiple=True, metavar="MOUNT", help="A mount for containers: type=bind,src=DIR,dst=DIR[,rw=true]."
)
@click.option("--network", is_flag=True, help="Let containers that ask for the network have it.")
@click.option("--network-name", default="bridge", metavar="NAME", help="Accepted, and without effect, as in kustomize.")
@click.option(_NAMED, "managed_by_named", count=True, hidden=True)
def command(places: tuple[str, ...], output: str, load_restrictor: str, reorder: str | None, **flags: Any) -> None:
    """Build the kustomization in DIR (default: here) or in a Git repository.

    It prints the objects, byte for byte as `kustomize build` does.
    """
    from kilde.core.basics.errors import KildeError

    _check(places, load_restrictor, reorder, managed_by_named=flags["managed_by_named"])
    try:
        managed_by = flags["managed_by"] or os.environ.get(_MANAGED_BY_VARIABLE) == "on"
        restricted = load_restrictor != _RESTRICTORS[1]
        built = _build(
            places[0] if places else ".",
            flags,
            reorder=reorder or "",
            restricted=restricted,
            managed_by=bool(managed_by),
            explain=(output if output in _FORMATS else "text") if flags["explain"] else "",
        )
        if not flags["explain"] or output not in _FORMATS:
            _write(built, output)
    except KildeError as error:
        _fail(_told(error))


def _check(places: tuple[str, ...], load_restrictor: str, reorder: str | None, *, managed_by_named: int) -> None:
    """What kustomize says of its flags, and where it refuses them."""
    for flag, times in (("reorder", int(reorder is not None)), ("enable-managedby-label", managed_by_named)):
        for _ in range(times):
            click.echo(f"Flag --{flag} has been deprecated, {_OLD_FLAGS[flag]}", err=True)
    if len(places) > 1:
        _fail("specify one path to kustomization.yaml")
    if load_restrictor not in ("", *_RESTRICTORS):
        _fail(f"illegal flag value --load-restrictor {load_restrictor}; legal values: {list(_RESTRICTORS)}")
    if reorder not in (None, "legacy", "none"):
        _fail(f"illegal flag value --reorder {reorder}; legal values: ['legacy', 'none']")


def _build(
    place: str, flags: dict[str, Any], *, reorder: str, restricted: bool, managed_by: bool, explain: str
) -> "Built":
    """The build; its warnings, and if wanted its inputs, are told also where it fails."""
    from kilde.adapters.folder import FolderTree
    from kilde.cli.build_outside import outside_of
    from kilde.core.render import BuildOptions, kustomize_build
    from kilde.core.render.kustomize.remote import parse_remote
    from kilde.core.source.tree import TracedTree

    tree = TracedTree(FolderTree("/"))
    with outside_of(flags, FolderTree) as outside:
        options = BuildOptions(reorder=reorder, restricted=restricted, managed_by=managed_by, outside=outside)
        path = place if parse_remote(place) is not None else _folder(place)
        warnings: list[str] = []
        built = None
        try:
            built = kustomize_build(tree, path, options, warnings=warnings)
        finally:
            for warning in warnings:
                click.echo(warning, err=True)
            if explain:
                _explain(tree.trace, built.remotes if built else {}, explain)
    return built


def _explain(trace: "Trace", remotes: "Mapping[str, str]", form: str) -> None:
    """A line for every input on standard error; or all of them as data, in the place of the objects."""
    from kilde.cli.explaining import inputs, line

    found = inputs(trace, remotes)
    if form in _FORMATS:
        from kilde.cli.output import data

        data(found, form)
    else:
        for one in found:
            click.echo(line(one), err=True)


def _folder(place: str) -> str:
    if not place:
        _fail("the folder's name is empty")
    folder = Path(place).resolve()
    if not folder.is_dir():
        _fail(f"'{place}' doesn't exist" if not folder.exists() else f"'{place}' is no folder")
    return folder.as_posix().strip("/")


def _write(built: "Built", output: str) -> None:
    """Writes the objects where they belong."""
    if not output:
        click.echo(built.text(), nl=False)
        return
    target = Path(output)
    files = [(target / name, text) for name, text in built.files()] if target.is_dir() else [(target, built.text())]
    for path, text in files:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            _fail(f"open {path}: {error.strerror}")


def _told(error: "KildeError") -> str:
    from kilde.cli.explaining import shown

    where = ""
    if error.place is not None:
        line = f":{error.place.line}" if error.place.line else ""
        column = f":{error.place.column}" if line and error.place.column else ""
        where = shown(error.place.file) + line + column
    head = ": ".join(part for part in (where, error.about, error.what) if part)
    here = f"{Path.cwd().as_posix().strip('/')}/"  # the tree begins at the root: its paths are shown as seen from here
    head = re.sub(rf"(?<![\w/.-]){re.escape(here)}", "", head)
    return head + (f" ({error.hint})" if error.hint else "")


def _fail(message: str) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    raise click.exceptions.Exit(1)
