"""JSON: a document with `findings` and `summary`; fields are only ever added."""

import json
from typing import Any

from kilde.core.check.finding import Finding, Severity
from kilde.core.check.judging import Report


def write(report: Report) -> str:
    """Every field of every finding, also the empty ones."""
    summary: dict[str, Any] = {f"{severity}s": report.count(severity) for severity in Severity}
    summary |= {"judged": report.judged, "applications": report.applications, "cut": list(report.cut)}
    told = {"version": 1, "findings": [_finding(each) for each in report.findings], "summary": summary}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "hint": finding.hint,
        "object": finding.object,
        "applications": list(finding.applications),
        "fingerprint": finding.fingerprint,
    }
