"""GitLab's code quality report: what its merge requests show beside the lines."""

import hashlib
import json
from typing import Any

from kilde.core.check.finding import Finding, Severity
from kilde.core.check.judging import Report

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def write(report: Report) -> str:
    """A list of issues. Fingerprints are unique, as GitLab wants them: the second of the same gets its own."""
    seen: dict[str, int] = {}
    told = []
    for finding in report.findings:
        again = seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
        told.append(_issue(finding, again))
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _issue(finding: Finding, again: int) -> dict[str, Any]:
    mark = finding.fingerprint
    if again > 1:
        mark = hashlib.sha256(f"{mark}\0{again}".encode()).hexdigest()
    about = f"{finding.object}: " if finding.object else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    return {
        "description": f"{about}{finding.message}{hint}",
        "check_name": finding.rule,
        "fingerprint": mark,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": finding.path or ".", "lines": {"begin": finding.line or 1}},
    }
