"""The house rules that a program can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from kilde.cli.main import kilde

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 400
LONGEST = 60
_MACHINE = re.compile(r"(?<![\w.$])/(?:work|root)/")
_REGISTRIES = re.compile(
    r"\b(?:pypi\.org|files\.pythonhosted|proxy\.golang|registry\.npmjs|docker\.io|ghcr\.io|quay\.io|gcr\.io)"
)
_EMPTY_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|common|misc|manager)$")


def tracked() -> list[Path]:
    """Every text file that Git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name and (ROOT / name.decode()).is_file()]


SOURCES = [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "tests"]
TESTS = [path for path in tracked() if path.suffix == ".py" and path not in SOURCES]


def relative(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_no_source_file_is_longer_than_400_lines() -> None:
    long = {path: path.read_text().count("\n") for path in SOURCES}

    assert {str(path.relative_to(ROOT)): lines for path, lines in long.items() if lines > LARGEST} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1})"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno is not None
        and node.end_lineno - node.body[0].lineno >= LONGEST
    ]

    assert found == []


def test_every_module_begins_with_a_docstring() -> None:
    silent = [path for path in (*SOURCES, *TESTS) if not ast.get_docstring(ast.parse(path.read_text()))]

    assert relative(silent) == []


def test_no_module_is_named_for_nothing() -> None:
    assert relative([path for path in SOURCES if _EMPTY_NAMES.search(path.stem)]) == []


@pytest.mark.parametrize("pattern", [_MACHINE, _REGISTRIES], ids=["machine paths", "registry hosts"])
def test_no_tracked_file_names(pattern: re.Pattern[str]) -> None:
    found = []
    for path in tracked():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]

    assert found == []


def test_no_binary_of_size_is_tracked() -> None:
    assert relative([path for path in tracked() if path.stat().st_size > 1 << 20]) == []


@pytest.mark.slow
def test_the_layers_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:]


def commands() -> list[tuple[str, click.Command]]:
    """Every command and group, with its whole name."""
    found: list[tuple[str, click.Command]] = []

    def walk(name: str, command: click.Command) -> None:
        found.append((name, command))
        if isinstance(command, click.Group):
            context = click.Context(command, info_name=name)
            for child in command.list_commands(context):
                inner = command.get_command(context, child)
                assert inner is not None
                walk(f"{name} {child}", inner)

    walk("kilde", kilde)
    return found


@pytest.mark.parametrize(("name", "command"), [pytest.param(*found, id=found[0]) for found in commands()])
def test_every_command_explains_itself_with_an_example(name: str, command: click.Command) -> None:
    text = command.get_help(click.Context(command, info_name=name))
    options = [item for item in command.params if isinstance(item, click.Option)]
    first = re.search(r"(?:Example|Begin with): *(kilde .+)", " ".join(text.split()))

    assert command.help
    assert first is not None
    assert command is kilde or first[1].startswith(name)
    assert [option.name for option in options if not option.help and not option.hidden] == []
