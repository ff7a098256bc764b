"""`kilde check`: judges a repository, or a change of it, before it lands."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli.printable import printable

if TYPE_CHECKING:
    from kilde.core.check.judging import Report

FOUND = 1
_FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab")
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan", "good": "green", "dim": "bright_black", "file": ""}


@click.command(
    epilog="Example: kilde check --base origin/main",
    short_help="Judge a repository or a change before it lands.",
)
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--base", default="", metavar="REV", help="Judge only what changed since this revision; else everything.")
@click.option("--head", default="", metavar="REV", help="Judge this commit; the working copy if not given.")
@click.option("--staged", is_flag=True, help="Judge what the next commit would change.")
@click.option("--pre-receive", is_flag=True, help="Judge a push: read 'old new ref' lines, as Git's hook gets them.")
@click.option(
    "--history",
    metavar="[RANGE]",
    is_flag=False,
    flag_value="",
    help="Look for credentials in every version that these commits brought, too: A..B, or all of a branch; all of HEAD if not given.",
)
@click.option(
    "-o", "--output", type=click.Choice(_FORMATS), default="text", show_default=True, help="How findings are written."
)
@click.option("--out", type=click.Path(path_type=Path), help="Write them into this file.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    default="error",
    show_default=True,
    help="Exit with 1 for findings as bad as this, or worse.",
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="Read this file in place of the repository's .kilde.yaml."
)
@click.option(
    "--kubernetes-version",
    default="",
    metavar="VERSION",
    help="The version of the clusters, as 1.33; the newest if not given.",
)
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    help="Take the version and the CRDs of this cluster; none is asked if not given.",
)
@click.option("--context", default="", help="The same, by a context of that kubeconfig, or of your own.")
@click.option(
    "--branch", default="", metavar="NAME", help="The branch that the change is for; any that there is, if not given."
)
@click.option("--helm-command", default="", metavar="PATH", help="The helm program.")
@click.option("--rules", is_flag=True, help="List the rules, and why each is there.")
def command(
    *,
    path: Path,
    base: str,
    head: str,
    staged: bool,
    pre_receive: bool,
    history: str | None,
    output: str,
    out: Path | None,
    fail_on: str,
    config: Path | None,
    kubernetes_version: str,
    kubeconfig: Path | None,
    context: str,
    branch: str,
    helm_command: str,
    rules: bool,
) -> int:
    """Judges the repository that PATH is in (here, if not given): what is in it, and what it renders to.

    Exit code 0: nothing is wrong; 1: something is; 3: it cannot be judged.
    """
    if rules:
        _list_rules(output)
        return 0
    from kilde.core.check.finding import Severity
    from kilde.wiring.checking import Asked, check, check_push, read_updates

    asked = Asked(
        path=path,
        base=base,
        head=head,
        branch=branch,
        staged=staged,
        config=config,
        kubernetes_version=kubernetes_version,
        helm=helm_command,
        history=history,
        kubeconfig=kubeconfig,
        context=context,
    )
    if pre_receive and (base or head or staged or history is not None):
        raise click.UsageError(
            "--pre-receive is told by Git what to judge: leave --base, --head, --staged and --history out"
        )
    with _Progress() as progress:
        report = check_push(asked, read_updates(sys.stdin), progress) if pre_receive else check(asked, progress)
    for url in report.guessed:
        told = f"taking {printable(url)} to be this repository: most Applications name it"
        click.echo(f"{told} (say so in .kilde.yaml: check.repositories)", err=True)
    _write(report, output, out)
    return FOUND if report.fails(Severity(fail_on)) else 0


class _Progress:
    """One line on standard error that tells what goes on, where that is a terminal; gone at the end."""

    def __enter__(self) -> Callable[[str], None]:
        self._shown = sys.stderr.isatty() and not os.environ.get("CI")
        return self._tell

    def _tell(self, what: str) -> None:
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{printable(what)[:100]}")
            sys.stderr.flush()

    def __exit__(self, *_: object) -> None:
        self._tell("")


def _write(report: "Report", output: str, out: Path | None) -> None:
    from kilde.core.basics.errors import InvalidInput
    from kilde.core.check.formats import FORMATS, text

    if output in ("text", "github"):
        report = _harmless(report)  # what people and terminals read as it is
    if out is None:
        click.echo(text.write(report, _paint) if output == "text" else FORMATS[output](report), nl=False)
        return
    told = text.write(report) if output == "text" else FORMATS[output](report)
    try:
        out.write_text(told, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", about=str(out)) from None


def _harmless(report: "Report") -> "Report":
    """The same with what a terminal could obey written out."""
    from dataclasses import replace

    return replace(
        report,
        findings=tuple(
            replace(
                each,
                path=printable(each.path),
                message=printable(each.message),
                hint=printable(each.hint),
                object=printable(each.object),
                applications=tuple(map(printable, each.applications)),
            )
            for each in report.findings
        ),
    )


def _paint(told: str, word: str) -> str:
    colour = _COLOURS[word]
    return click.style(told, fg=colour or None, bold=word in ("error", "file"))


def _list_rules(output: str) -> None:
    from kilde.core.check.rules import RULES

    if output == "json":
        from kilde.cli.output import data

        data([{"id": r.id, "severity": str(r.severity), "title": r.title, "docs": r.docs} for r in RULES], "json")
        return
    for rule in RULES:
        click.echo(f"{click.style(rule.id, bold=True)} ({rule.severity}): {rule.title}")
        click.echo(f"  {rule.docs}\n")
