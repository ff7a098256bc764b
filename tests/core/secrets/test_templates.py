"""Templates: Go's results and Go's errors, bounded, blind to the machine, and silent about what is sealed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilde.core.secrets.opening import TemplateFailed
from kilde.core.secrets.templates import render

VALUES = {"user": "bob", "pw": "p@ss"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("pg://{{ .user }}:{{ .pw }}@db", "pg://bob:p@ss@db"),
        ('{{ index . "pw" }}', "p@ss"),
        ("{{ toJson . }}", '{"pw":"p@ss","user":"bob"}'),
        ("{{ .user | upper | b64enc | quote }}", '"Qk9C"'),
        ("[{{ .nothing }}]", "[<no value>]"),
        ("{{ range $k, $v := . }}{{ $k }}={{ $v }};{{ end }}", "pw=p@ss;user=bob;"),
        ("{{ . }}", "map[pw:p@ss user:bob]"),
        ('{{ "<a&b>" }}', "<a&b>"),
        ("{{ if eq .user `bob` }}yes{{ else }}no{{ end }}", "yes"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_a_template_gives_what_go_gives(template: str, text: str) -> None:
    assert render("x", template, VALUES) == text


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ .k ", "template: x:1: unclosed action"),
        ('{{ fail "no" }}', 'template: x:1:3: executing "x" at <fail "no">: error calling fail: no'),
        ("a\n {{ nofunc }}", 'template: x:2: function "nofunc" not defined'),
        ("{{ end }}", "template: x:1: unexpected {{end}}"),
        ("{{ $x }}", 'template: x:1: undefined variable "$x"'),
        ('\n {{ "a" | upper | fail }}', 'template: x:2:18: executing "x" at <fail>: error calling fail: A'),
        ('{{ if (fail   "z") }}{{ end }}', 'template: x:1:7: executing "x" at <fail "z">: error calling fail: z'),
        ('{{ env "HOME" }}', 'template: x:1: function "env" not defined'),
        ('{{ expandenv "$HOME" }}', 'template: x:1: function "expandenv" not defined'),
        ('{{ getHostByName "a" }}', 'template: x:1: function "getHostByName" not defined'),
    ],
)
def test_a_template_that_fails_says_so_in_gos_words(template: str, words: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        render("x", template, VALUES)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    "template",
    [
        "{{ fail .pw }}",
        "{{ .pw | fail }}",
        "{{ .pw | b64enc | fail }}",
        "{{ fail (printf `%s!` .pw) }}",
        "{{ fail (.pw | upper) }}",
        "{{ mustRegexMatch .pw `a` | fail }}",
        "{{ fail (first (list .pw)) }}",
        "{{ fail (sha256sum .pw) }}",
    ],
)
def test_an_error_tells_no_sealed_value(template: str) -> None:
    values = {"pw": "c4nary(-5ecret"}
    with pytest.raises(TemplateFailed) as caught:
        render("x", template, values)
    assert "depend on a sealed value" in str(caught.value)
    assert "c4nary" not in str(caught.value).lower()


@pytest.mark.parametrize(
    "template",
    [
        "{{ range until 100000000 }}{{ . }}{{ end }}",
        '{{ repeat 100000000 "x" }}',
        '{{ range until 1000 }}{{ repeat 10000 "x" }}{{ end }}',
        '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}',
        "{{ range until 900 }}{{ range until 900 }}{{ range until 900 }}{{ end }}{{ end }}{{ end }}",
        "{{ " + "(" * 3000 + " }}",
        "x" * (2 << 20),
        "{{ if true }}" * 3000,
        "{{ $x := .user }}{{ range until 60 }}{{ $x = cat $x $x }}{{ end }}",
        "{{ $x := list 1 }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}",
        '{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ toJson $d }}',
        '{{ range until 99 }}{{ $_ := genPrivateKey "ecdsa" }}{{ end }}',
    ],
)
@pytest.mark.timeout(20)
def test_a_hostile_template_ends_soon(template: str) -> None:
    with pytest.raises(TemplateFailed):
        render("x", template, VALUES)


@given(st.text(alphabet='{}.|()"$ abk\n-:=/*', max_size=30))
@settings(max_examples=150, deadline=None)
def test_no_template_does_anything_but_render_or_fail(template: str) -> None:
    try:
        found = render("x", "{{" + template, VALUES)
    except TemplateFailed as error:
        found = str(error).removeprefix("template: x:")
    assert not found.startswith("template: ")
