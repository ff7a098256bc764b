"""What a leak tells and what it never tells, where it is, and what hostile files cost."""

import base64
import json
import random
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.check.leaks.corpus import positives
from kilde.core.check.leaks import LARGEST, MOST, RULES, Leak, find_leaks, unread

PAGE = """\
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData:
  password: hunter2
  user: application
---
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: web
        args: [serve, "--api-token", a8f3kz9qLm2, --secret-key=Zq81mmKqp0]
        env:
        - {name: DB_PASSWORD, value: Tr0ub4dor}
        - {name: TOKEN_TTL, value: 300s}
        - name: DSN
          value: postgres://app:s3cr3t9@db/app
"""


def told(path: str, text: str) -> list[tuple[int, int, str, str]]:
    return [(leak.line, leak.column, leak.rule, leak.hint) for leak in find_leaks(path, text)]


def test_each_is_told_with_its_place_its_rule_and_a_hint() -> None:
    assert told("web.yaml", PAGE) == [
        (5, 13, "raw-secret", "2 values: password, user"),
        (15, 38, "argument-credential", "the value of '--api-token' (11 characters)"),
        (15, 51, "argument-credential", "the value of '--secret-key' (10 characters)"),
        (17, 38, "env-credential", "the value of 'DB_PASSWORD' (9 characters)"),
        (20, 33, "url-credential", "a URL with a password (7 characters)"),
    ]


def test_a_fingerprint_stays_with_a_line_that_moves_and_changes_with_value_file_and_rule() -> None:
    def prints(path: str, text: str) -> list[str]:
        return [leak.fingerprint for leak in find_leaks(path, text)]

    [one] = prints("a.env", "DB_PASSWORD=hunter2\n")
    assert len(one) == 16
    assert prints("a.env", "\n\nX=1\nDB_PASSWORD=hunter2\n") == [one]
    [other] = prints("a.env", "DB_PASSWORD=hunter3\n")
    [elsewhere] = prints("b.env", "DB_PASSWORD=hunter2\n")
    assert other != one
    assert other[:12] == one[:12]  # where it is: of the value there are 16 bits in it, and no more
    assert elsewhere[:12] != one[:12]


def test_no_value_is_in_what_is_told() -> None:
    for case in positives(5):
        for leak in find_leaks(case.path, case.text):
            words = json.dumps(astuple(leak))
            assert leak.rule in RULES
            for form in (case.value, base64.b64encode(case.value.encode()).decode()):
                assert len(form) < 6 or form not in words, case.name


def test_a_generators_file_is_none_where_it_is_not_in_git_or_encrypted() -> None:
    text = "secretGenerator:\n- name: a\n  files: [k=plain.txt, gone.txt, sealed.txt, ca.pem]\n  envs: [empty.env]\n"
    files = {
        "plain.txt": "hunter2",
        "sealed.txt": '{"data": "ENC[AES256_GCM,data:x"}',
        "ca.pem": "-----BEGIN CERTIFICATE-----\nMIIB\n",
        "empty.env": "",
    }
    assert [(leak.line, leak.column) for leak in find_leaks("kustomization.yaml", text, look=files.get)] == [(3, 11)]
    assert len(find_leaks("kustomization.yaml", text)) == 5


def test_what_is_no_text_and_what_is_too_large_is_told_or_passed_over() -> None:
    assert find_leaks("a.png", "\0password=hunter2") == []
    assert find_leaks("a.env", "x" * LARGEST + "\nDB_PASSWORD=hunter2\n") == []
    assert [leak.rule for leak in unread("a.env")] == ["too-large"]
    assert unread("a.zip") == []
    many = "".join(f"PASSWORD{n}=hunter{n}x\n" for n in range(2 * MOST))
    assert len(find_leaks("a.env", many)) == MOST


MIB = 1 << 20
HOSTILE = {
    "letters": "a" * MIB, "quotes": "'" * MIB, "colons": ":" * MIB, "equals": "=" * MIB, "assignments": "key=" * (MIB // 4), "open quotes": 'a="' * (MIB // 3),
    "braces": "{" * MIB, "brackets": "[" * MIB, "templates": "{{" * (MIB // 2), "template ends": "{{a}}" * (MIB // 5), "urls": "://a:" * (MIB // 5), "more urls": "://a" * (MIB // 4) + ":b@",
    "web tokens": "eyJ" * (MIB // 3), "dotted web tokens": "eyJaaaaaaaaaaaa." * (MIB // 16), "forge": "glpat-" * (MIB // 6), "slack": "xoxb-1-" * (MIB // 7), "aws": "AKIA" * (MIB // 4),
    "begins": "-----BEGIN " * (MIB // 11), "private": "-----BEGIN PRIVATE KEY-----" * (MIB // 27), "base64": "LS0tLS1CRUdJTi" * (MIB // 14), "elements": "<password>" * (MIB // 10),
    "newlines": "\n" * MIB, "spaces": "password" + " " * MIB, "passwords": "password " * (MIB // 9), "dashes": "--password " * (MIB // 11), "machines": "machine a login b password\n" * (MIB // 27),
    "documents": "---\n" * (MIB // 4), "nested": "".join(" " * n + "a:\n" for n in range(1400)), "defaults": '{{ default "a" ' * (MIB // 15), "anchors": "a: &a [x]\n" * (MIB // 10),
    "underscores": "\ntoken = a" + "_" * MIB + "!", "words": ("token = a" + "_" * 400 + "!\n") * (MIB // 412), "camels": ("token: " + "aB" * 250 + "!\n") * (MIB // 509),
    "hosts": ("token: " + "a." * 250 + "!\n") * (MIB // 509), "slashes": ("token: " + "a/" * 250 + "!\n") * (MIB // 509), "dashes in a name": ("token: " + "ab-" * 160 + "!\n") * (MIB // 489),
    "long key": "? " + "k" * MIB + "\n: v\n", "one word": "password: " + "aB1" * (MIB // 3), "hashes": "secret: " + "ab12" * (MIB // 4), "netrc": "machine " * (MIB // 8) + "password",
    "secrets": "apiVersion: v1\nkind: Secret\nstringData:\n" + "".join(f"  k{n}: value{n}\n" for n in range(MIB // 16)),
    "objects": "apiVersion: v1\nkind: Secret\nstringData: {a: value1}\n---\n" * (MIB // 56),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_costs_its_length_and_not_its_square(name: str) -> None:
    """A second or two; what grows with the square would take hours."""
    paths = ["a.yaml", "a.env", "a.py"]
    assert len(find_leaks(paths[len(name) % 3], HOSTILE[name])) <= MOST


@given(st.text(max_size=400), st.sampled_from(["a.yaml", ".env", "kustomization.yaml", "a.py", "a.json", ".pgpass"]))
def test_any_text_can_be_looked_at(text: str, path: str) -> None:
    lines = text.count("\n") + 1
    for leak in find_leaks(path, text):
        assert 1 <= leak.line <= lines + 1
        assert leak.column >= 1
        assert isinstance(leak, Leak)


def test_leaks_are_in_order_and_none_is_told_twice() -> None:
    dice = random.Random(3)
    cases = [case for case in positives(3) if case.path.endswith(".yaml")]
    text = "---\n".join(case.text for case in dice.sample(cases, 40))
    found = find_leaks("all.yaml", text)
    places = [(leak.line, leak.column) for leak in found]
    assert places == sorted(set(places))
    assert len(found) >= 38
