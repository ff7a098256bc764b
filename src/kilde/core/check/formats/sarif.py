"""SARIF 2.1.0 (OASIS standard): what code scanning of forges and editors reads."""

import json
from typing import Any
from urllib.parse import quote

from kilde import __version__
from kilde.core.check.finding import Finding
from kilde.core.check.judging import Report
from kilde.core.check.rule import Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "SRCROOT"


def write(report: Report) -> str:
    """One run; paths are relative to the repository's root, which the reader knows."""
    rules = [*report.rules]
    places = {rule.id: number for number, rule in enumerate(rules)}
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "kilde check", "version": __version__, "rules": [_rule(rule) for rule in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, places[finding.rule]) for finding in report.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.docs},
        "help": {"text": rule.docs},
        "defaultConfiguration": {"level": str(rule.severity)},
    }


def _result(finding: Finding, place: int) -> dict[str, Any]:
    about = f"{finding.object}: " if finding.object else ""
    hint = f". {finding.hint}" if finding.hint else ""
    told: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": place,
        "level": str(finding.severity),
        "message": {"text": f"{about}{finding.message}{hint}"},
        "partialFingerprints": {"kilde/v1": finding.fingerprint},
    }
    if finding.path:
        told["locations"] = [{"physicalLocation": _location(finding)}]
    if finding.applications:
        told["properties"] = {"applications": list(finding.applications)}
    return told


def _location(finding: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.path), "uriBaseId": _ROOT}}
    if finding.line:
        region = {"startLine": finding.line}
        if finding.column:
            region["startColumn"] = finding.column
        place["region"] = region
    return place
