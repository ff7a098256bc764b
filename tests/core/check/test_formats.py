"""How reports are written: whole outputs, and each format read back by its own rules."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.check.config import NO_CONFIG
from kilde.core.check.context import Context
from kilde.core.check.finding import Finding, Problem, Severity
from kilde.core.check.formats import FORMATS, text
from kilde.core.check.judging import Report, judge
from kilde.core.check.rule import Rule
from kilde.core.source.tree import MemoryTree


def rule(name: str, severity: Severity, *problems: Problem) -> Rule:
    return Rule(
        id=name, title=f"title of {name}", severity=severity, docs=f"Why {name}.", judge=lambda context: problems
    )


def report(*rules: Rule) -> Report:
    return judge(Context(tree=MemoryTree({})), rules, NO_CONFIG)


TAG = Problem(
    message="image 'web' has no tag", path="apps/web one.yaml", line=12, column=9, hint="name a version", application="web",
    object="Deployment web/web",
)  # fmt: skip
SHARED = Problem(message="image 'web' has no tag", path="apps/web one.yaml", line=12, column=9, application="web-2")
NOWHERE = Problem(message="odd: 100%, <b>&\nnext", application="web")
REPORT = report(
    rule("image-tag", Severity.ERROR, TAG, SHARED), rule("odd", Severity.NOTE, NOWHERE), rule("calm", Severity.WARNING)
)


def test_what_a_base_shares_is_told_once_with_all_its_applications() -> None:
    assert [(each.rule, each.applications) for each in REPORT.findings] == [
        ("image-tag", ("web", "web-2")),
        ("odd", ("web",)),
    ]


def test_text_is_grouped_by_file() -> None:
    assert text.write(REPORT) == (
        "apps/web one.yaml\n"
        "  error      12:9  Deployment web/web: image 'web' has no tag  [image-tag]\n"
        "                   in web, web-2\n"
        "                   → name a version\n"
        "\n"
        "(no file)\n"
        "  note             odd: 100%, <b>& next  [odd]\n"
        "                   in web\n"
        "\n"
        "1 error, 1 note\n"
    )


def test_nothing_is_said_to_be_nothing() -> None:
    assert text.write(report()) == "nothing found\n"
    assert FORMATS["github"](report()) == ""
    assert FORMATS["gitlab"](report()) == "[]\n"


def test_json_has_every_field() -> None:
    found = json.loads(FORMATS["json"](REPORT))

    assert found["summary"] == {"errors": 1, "warnings": 0, "notes": 1, "judged": 0, "applications": 0, "cut": []}
    first = found["findings"][0]
    assert len(first.pop("fingerprint")) == 64
    assert first == {
        "rule": "image-tag", "severity": "error", "path": "apps/web one.yaml", "line": 12, "column": 9, "message": TAG.message,
        "hint": "name a version", "object": "Deployment web/web", "applications": ["web", "web-2"],
    }  # fmt: skip


def test_github_escapes_what_would_begin_another_command() -> None:
    assert FORMATS["github"](REPORT) == (
        "::error file=apps/web one.yaml,title=kilde check%3A image-tag,line=12,col=9::"
        "Deployment web/web: image 'web' has no tag%0Aname a version\n"
        "::notice title=kilde check%3A odd::odd: 100%25, <b>&%0Anext\n"
    )


def test_gitlab_has_unique_fingerprints() -> None:
    twice = report(
        rule("twice", Severity.WARNING, TAG, Problem(message=TAG.message, path=TAG.path, line=99, object=TAG.object))
    )
    found = json.loads(FORMATS["gitlab"](twice))

    assert [(one["severity"], one["location"]) for one in found] == [
        ("minor", {"path": TAG.path, "lines": {"begin": 12}}),
        ("minor", {"path": TAG.path, "lines": {"begin": 99}}),
    ]
    assert len({one["fingerprint"] for one in found}) == 2


def test_junit_counts_failures_and_shows_rules_that_found_nothing() -> None:
    root = ElementTree.fromstring(FORMATS["junit"](REPORT))

    assert root.attrib == {"name": "kilde check", "tests": "3", "failures": "1", "errors": "0"}
    assert [(suite.get("name"), suite.get("failures"), [child.tag for case in suite for child in case]) for suite in root] == [
        ("image-tag", "1", ["failure"]), ("odd", "0", ["system-out"]), ("calm", "0", []),
    ]  # fmt: skip
    assert root[0][0][0].get("message") == TAG.message


def sarif_problems(log: Any) -> Iterator[str]:
    """What the standard demands of the parts that we write (sections 3.13, 3.14, 3.19, 3.27, 3.29, 3.30, 3.49)."""
    if log["version"] != "2.1.0" or not log["$schema"].endswith("sarif-schema-2.1.0.json"):
        yield "version"
    for run in log["runs"]:
        driver = run["tool"]["driver"]
        ids = [one["id"] for one in driver["rules"]]
        if not driver["name"] or len(set(ids)) < len(ids):
            yield "driver"
        for one in driver["rules"]:
            if (
                one["defaultConfiguration"]["level"] not in ("none", "note", "warning", "error")
                or not one["help"]["text"]
            ):
                yield f"rule {one['id']}"
        for result in run["results"]:
            if result["level"] not in ("none", "note", "warning", "error") or not result["message"]["text"]:
                yield "result"
            if ids[result["ruleIndex"]] != result["ruleId"]:
                yield "ruleIndex"
            for place in result.get("locations", ()):
                uri = place["physicalLocation"]["artifactLocation"]["uri"]
                if not re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+", uri) or uri.startswith("/"):
                    yield f"uri {uri}"
                if any(number < 1 for number in place["physicalLocation"].get("region", {}).values()):
                    yield "region"


def test_sarif_is_as_the_standard_has_it() -> None:
    log = json.loads(FORMATS["sarif"](REPORT))
    result = log["runs"][0]["results"][0]

    assert list(sarif_problems(log)) == []
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "apps/web%20one.yaml", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 12, "startColumn": 9},
    }
    assert "locations" not in log["runs"][0]["results"][1]


ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PROBLEMS = st.builds(
    Problem, message=ANYTHING.filter(bool), path=ANYTHING, hint=ANYTHING, object=ANYTHING, application=ANYTHING,
    line=st.integers(0, 99), column=st.integers(0, 99),
)  # fmt: skip


@given(st.lists(PROBLEMS, max_size=4))
def test_whatever_is_found_every_format_can_be_read_back(problems: list[Problem]) -> None:
    made = report(rule("any", Severity.ERROR, *problems))
    findings = made.findings

    assert [one["message"] for one in json.loads(FORMATS["json"](made))["findings"]] == [
        each.message for each in findings
    ]
    log = json.loads(FORMATS["sarif"](made))
    paths = [
        place["physicalLocation"]["artifactLocation"]["uri"]
        for one in log["runs"][0]["results"]
        for place in one.get("locations", ())
    ]
    assert [unquote(path) for path in paths] == [each.path for each in findings if each.path]
    assert len(json.loads(FORMATS["gitlab"](made))) == len(findings)
    root = ElementTree.fromstring(FORMATS["junit"](made))
    assert int(root.get("failures", "")) == len(findings)
    lines = FORMATS["github"](made).split("\n")[:-1]
    assert [line.startswith("::error ") for line in lines] == [True] * len(findings)
    assert [unescaped(line.partition(" ")[2].split("::", 1)[1]) for line in lines] == [told(each) for each in findings]


def unescaped(text: str) -> str:
    return text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")


def told(finding: Finding) -> str:
    head = f"{finding.object}: " if finding.object else ""
    return head + finding.message + (f"\n{finding.hint}" if finding.hint else "")


@pytest.mark.parametrize(("worst", "fails"), [(Severity.ERROR, False), (Severity.WARNING, True), (Severity.NOTE, True)])
def test_what_fails_is_as_bad_as_asked_or_worse(worst: Severity, fails: bool) -> None:
    assert report(rule("one", Severity.WARNING, TAG)).fails(worst) is fails


def test_a_rule_that_finds_too_much_is_cut_and_says_so() -> None:
    made = report(rule("many", Severity.NOTE, *(Problem(message=str(number)) for number in range(20_000))))

    assert (len(made.findings), made.cut) == (10_000, ("many",))
    assert "rule many found more than is shown" in text.write(made)
