"""JUnit XML: a test suite for each rule that looked; an error is a failed case, what is no error is told in a passed one."""

import re
from xml.sax.saxutils import escape, quoteattr

from kilde.core.check.finding import Finding, Severity
from kilde.core.check.judging import Report
from kilde.core.check.rule import Rule

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


def write(report: Report) -> str:
    """A rule that found nothing is one passed case, so that a reader sees that it looked."""
    failures = report.count(Severity.ERROR)
    suites = [_suite(rule, [each for each in report.findings if each.rule == rule.id]) for rule in report.rules]
    tests = sum(max(1, sum(each.rule == rule.id for each in report.findings)) for rule in report.rules)
    head = f'<testsuites name="kilde check" tests="{tests}" failures="{failures}" errors="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>"]) + "\n"


def _suite(rule: Rule, findings: list[Finding]) -> str:
    cases = [_case(each) for each in findings] or [
        f"    <testcase classname={_quoted(rule.id)} name={_quoted(rule.title)}/>"
    ]
    failures = sum(each.severity is Severity.ERROR for each in findings)
    head = f'  <testsuite name={_quoted(rule.id)} tests="{len(cases)}" failures="{failures}" errors="0">'
    return "\n".join([head, *cases, "  </testsuite>"])


def _case(finding: Finding) -> str:
    name = f"{finding.place or finding.object or 'repository'}: {finding.message}"
    where = f" file={_quoted(finding.path)}" if finding.path else ""
    line = f' line="{finding.line}"' if finding.line else ""
    head = f"    <testcase classname={_quoted(finding.rule)} name={_quoted(name)}{where}{line}>"
    told = "\n".join(part for part in (finding.place, finding.object, finding.message, finding.hint) if part)
    if finding.applications:
        told += f"\nin {', '.join(finding.applications)}"
    if finding.severity is Severity.ERROR:
        body = f"<failure message={_quoted(finding.message)} type={_quoted(finding.rule)}>{_escaped(told)}</failure>"
    else:
        body = f"<system-out>{_escaped(f'{finding.severity}: {told}')}</system-out>"
    return f"{head}{body}</testcase>"


def _quoted(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _escaped(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text), {"\r": "&#13;"})
