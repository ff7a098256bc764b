"""GitHub's workflow commands: each finding becomes an annotation on the line of the pull request."""

from kilde.core.check.finding import Finding, Severity
from kilde.core.check.judging import Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def write(report: Report) -> str:
    """One command a line; nothing where nothing was found."""
    return "".join(f"{_command(finding)}\n" for finding in report.findings)


def _command(finding: Finding) -> str:
    properties = {"title": f"kilde check: {finding.rule}"}
    if finding.path:
        properties = {"file": finding.path, **properties}
        if finding.line:
            properties["line"] = str(finding.line)
            if finding.column:
                properties["col"] = str(finding.column)
    told = f"{finding.object}: {finding.message}" if finding.object else finding.message
    told += f"\n{finding.hint}" if finding.hint else ""
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {given}::{_data(told)}"


def _data(text: str) -> str:
    """As the runner's own toolkit escapes a message; every other line break would begin a new command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
