"""For people: findings grouped by file, in colour on a terminal, and one line that sums up."""

from collections.abc import Callable
from itertools import groupby

from kilde.core.check.finding import Finding, Severity
from kilde.core.check.judging import Report

Paint = Callable[[str, str], str]
"""Gives a text in a colour; the second word is the severity, "file", "dim" or "good"."""
_SHOWN = 3  # applications that are named


def plain(text: str, _: str) -> str:
    """No colour."""
    return text


def write(report: Report, paint: Paint = plain) -> str:
    """`severity  line:column  message  [rule]` under each file's name; the hint and the applications below."""
    lines: list[str] = []
    for path, group in groupby(report.findings, key=lambda finding: finding.path):
        lines.append(paint(_line(path) or "(no file)", "file"))
        for finding in group:
            lines += _finding(finding, paint)
        lines.append("")
    for rule in report.cut:
        lines.append(f"rule {rule} found more than is shown: mend these first")
    lines.append(_summary(report, paint))
    return "\n".join(lines) + "\n"


def _finding(finding: Finding, paint: Paint) -> list[str]:
    where = ":".join(str(number) for number in (finding.line, finding.column) if number)
    about = f"{finding.object}: " if finding.object else ""
    word = paint(f"{finding.severity:<7}", finding.severity)
    lines = [f"  {word} {where:>7}  {_line(about + finding.message)}  {paint(f'[{finding.rule}]', 'dim')}"]
    if finding.applications:
        lines.append(f"  {'':15}  {paint('in ' + _named(finding.applications), 'dim')}")
    if finding.hint:
        lines.append(f"  {'':15}  → {_line(finding.hint)}")
    return lines


def _line(told: str) -> str:
    return " ".join(told.split())


def _named(applications: tuple[str, ...]) -> str:
    shown = ", ".join(applications[:_SHOWN])
    return shown if len(applications) <= _SHOWN else f"{shown} and {len(applications) - _SHOWN} more"


def _summary(report: Report, paint: Paint) -> str:
    counts = {severity: report.count(severity) for severity in Severity}
    told = ", ".join(_counted(number, severity) for severity, number in counts.items() if number) or "nothing found"
    worst = next((severity for severity, number in counts.items() if number), None)
    judged = ""
    if report.applications:
        judged = f"; {report.judged} of {_counted(report.applications, 'application')} judged"
    return paint(told, worst or "good") + judged


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
