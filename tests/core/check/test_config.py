"""`.kilde.yaml`: what it switches, and one clear error for each entry that is wrong."""

import pytest

from kilde.core.basics.errors import InvalidInput
from kilde.core.check.config import Config, read_config
from kilde.core.check.finding import Severity

RULES = ("image-latest", "image-without-tag")
REASON = "reason: it is known and agreed"


def config(text: str) -> Config:
    return read_config(text.encode(), RULES)


def switched(*entries: str) -> Config:
    return config("check:\n  rules:\n" + "".join(f"  - {{{entry}, {REASON}}}\n" for entry in entries))


def test_an_empty_file_switches_nothing() -> None:
    assert config("# nothing yet\n") == Config()


def test_a_severity_is_set_for_every_file() -> None:
    found = switched("rule: image-latest, severity: error")

    assert found.severity("image-latest", "a.yaml", Severity.WARNING) is Severity.ERROR
    assert found.severity("image-without-tag", "a.yaml", Severity.WARNING) is Severity.WARNING
    assert not found.is_off("image-latest")


@pytest.mark.parametrize("word", ["off", "'off'", "false"])
def test_off_is_off_however_yaml_reads_it(word: str) -> None:
    found = switched(f"rule: image-latest, severity: {word}")

    assert found.is_off("image-latest")
    assert found.severity("image-latest", "a.yaml", Severity.WARNING) is None


def test_the_last_entry_that_covers_a_file_decides() -> None:
    found = switched(
        "rule: image-latest, severity: error",
        "rule: image-latest, severity: off, paths: ['apps/legacy/**']",
        "rule: image-latest, severity: note, paths: ['apps/legacy/*/keep.yaml']",
    )

    asked = ["apps/new/a.yaml", "apps/legacy/x/a.yaml", "apps/legacy/x/keep.yaml", "apps/legacy/x/y/keep.yaml"]
    assert [found.severity("image-latest", path, Severity.WARNING) for path in asked] == [
        Severity.ERROR,
        None,
        Severity.NOTE,
        None,
    ]
    assert not found.is_off("image-latest")


def test_version_and_names_of_the_repository() -> None:
    found = config("check:\n  kubernetesVersion: '1.33'\n  repositories: [https://git.example/team/config]\n")

    assert (found.kubernetes_version, found.repositories) == ("1.33", ("https://git.example/team/config",))


WRONG = {
    "rules": ".kilde.yaml:1:1: check: must be a map (its fields are kubernetesVersion, repositories, clusters, rules)",
    "no such field": ".kilde.yaml:1:1: chek: unknown field 'chek' (did you mean 'check'?) (known: check)",
    "no such rule": ".kilde.yaml:3:6: check.rules[0].rule: there is no rule 'image-latst' (did you mean 'image-latest'?)"
    " (kilde check --rules lists them)",
    "no reason": ".kilde.yaml:3:5: check.rules[0].reason: rule 'image-latest' is switched without a reason"
    " (add reason: a sentence that says why)",
    "short": ".kilde.yaml:3:41: check.rules[0].reason: rule 'image-latest' is switched without a reason"
    " (add reason: a sentence that says why)",
    "severity": ".kilde.yaml:3:26: check.rules[0].severity: 'bad' is no severity (write error, warning, note or off)",
    "glob": ".kilde.yaml:3:49: check.rules[0].paths[0]: 'a{' is no glob: a brace is not closed (write it as apps/legacy/**)",
    "list": ".kilde.yaml:2:3: check.rules: must be a list (begin each entry with '- ')",
    "version": ".kilde.yaml:2:3: check.kubernetesVersion: must be text (quote it: '1.33')",
    "documents": ".kilde.yaml:3: has more than one document",
}
TEXTS = {
    "rules": "check: [1]\n",
    "no such field": "chek: {}\n",
    "no such rule": f"check:\n  rules:\n  - {{rule: image-latst, severity: off, {REASON}}}\n",
    "no reason": "check:\n  rules:\n  - {rule: image-latest, severity: off}\n",
    "short": "check:\n  rules:\n  - {rule: image-latest, severity: off, reason: ok}\n",
    "severity": f"check:\n  rules:\n  - {{rule: image-latest, severity: bad, {REASON}}}\n",
    "glob": f"check:\n  rules:\n  - {{rule: image-latest, severity: off, paths: ['a{{'], {REASON}}}\n",
    "list": "check:\n  rules: {}\n",
    "version": "check:\n  kubernetesVersion: 1.33\n",
    "documents": "check: {}\n---\ncheck: {}\n",
}


@pytest.mark.parametrize("case", WRONG)
def test_one_clear_error_for_what_is_wrong(case: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        config(TEXTS[case])

    assert str(caught.value) == WRONG[case]


def test_a_file_that_is_too_large_or_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput, match="more than"):
        config("#" * (2 << 20))
    with pytest.raises(InvalidInput, match="more than 500 entries"):
        switched(*["rule: image-latest, severity: note"] * 1001)
