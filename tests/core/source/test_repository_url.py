"""Repository URLs: what is one, which two are the same, and what is left when credentials are taken out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.errors import InvalidInput
from kilde.core.source.repository_url import begins_with, normalized, parse, redact, same_repository


@pytest.mark.parametrize(
    ("text", "address", "key", "shown"),
    [
        ("https://Git.Example/Team/App.git", "https://git.example/Team/App.git", "https://git.example/Team/App", None),
        ("https://git.example:443/a/", "https://git.example:443/a/", "https://git.example/a", None),
        (
            "https://u:p%40ss@git.example:8443/a.git",
            "https://git.example:8443/a.git",
            "https://git.example:8443/a",
            None,
        ),
        ("http://git.example/a?x=1", "http://git.example/a?x=1", "http://git.example/a?x=1", None),
        (
            "ssh://git@git.example:2222/a/b.git",
            "ssh://git@git.example:2222/a/b.git",
            "ssh://git@git.example:2222/a/b",
            None,
        ),
        ("ssh://git@git.example:22/a", "ssh://git@git.example:22/a", "ssh://git@git.example/a", None),
        ("git@Git.Example:team/app.git", "git@git.example:team/app.git", "ssh://git@git.example/~/team/app", None),
        ("git@git.example:/srv/app.git", "ssh://git@git.example/srv/app.git", "ssh://git@git.example/srv/app", None),
        ("ssh://git@[2001:db8::1]:22/a", "ssh://git@[2001:db8::1]:22/a", "ssh://git@[2001:db8::1]/a", None),
        ("file:///srv/a%20b.git", "/srv/a b.git", "file:///srv/a b.git", "file:///srv/a%20b.git"),
        ("/srv/app/", "/srv/app/", "file:///srv/app", "file:///srv/app/"),
        ("file://localhost/srv/app", "/srv/app", "file:///srv/app", "file:///srv/app"),
    ],
)
def test_a_url_is_read_into_its_parts(text: str, address: str, key: str, shown: str | None) -> None:
    url = parse(text)
    assert (url.address, url.key, str(url)) == (address, key, shown or address)


def test_credentials_in_an_http_url_are_kept_apart_and_decoded() -> None:
    url = parse("https://u%20x:p%40ss@git.example/a")
    assert (url.user, url.password) == ("u x", "p@ss")
    assert "p@ss" not in repr(url) + str(url) + url.address + url.key


@pytest.mark.parametrize(
    "text",
    ["", "main", "a/b", "./a", "../a", "~/a", "-x", "--upload-pack=x", "ext::sh -c x", "ext::x", "fd::0", "git://h/a", "ftp://h/a",
     "https://", "https:///a", "https://-h/a", "https://h h/a", "https://h/a#b", "https://h:99999/a", "https://h:x/a",
     "file://host/a", "file://relative", "ssh://h", "ssh://h/", "ssh://-oProxyCommand=x/a", "ssh://-u@h/a", "-oX@h:a", "u@-h:a",
     "u@h:", "u@h:-a", "ssh://u@h/-a", "https://h/a\n", "https://h/\x00", "x" * 2049, "https://[::1/a", "::"],
)  # fmt: skip
def test_what_is_no_repository_url_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        url = parse(text)
    except InvalidInput:
        return
    assert not url.address.startswith("-")
    assert not url.host.startswith("-")
    assert url.key
    assert url.slug.strip(".-") == url.slug


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://git.example/team/app", "https://git.example/team/app.git", True),
        ("https://git.example/Team/App", "https://GIT.example/team/app.git", True),
        ("git@git.example:team/app", "ssh://git@git.example/team/app.git", True),
        ("  https://git.example/a ", "https://git.example/a", True),
        ("https://git.example/a", "http://git.example/a", False),
        ("https://git.example/a", "ssh://git@git.example/a", False),
        ("git@git.example:a", "root@git.example:a", False),
        ("ssh://git@git.example:22/a", "ssh://git@git.example/a", False),
        ("", "", False),
    ],
)
def test_spellings_are_compared_as_argo_cd_does(one: str, other: str, same: bool) -> None:
    assert same_repository(one, other) is same
    assert same_repository(other, one) is same


@given(st.text(max_size=60))
def test_normalising_twice_is_normalising_once_for_urls_without_odd_ends(text: str) -> None:
    once = normalized(text)
    if "://" in once and not once.endswith(".git"):
        assert normalized(once) == once


@pytest.mark.parametrize(
    ("url", "prefix", "covered"),
    [
        ("https://git.example/team/app", "https://git.example/team", True),
        ("https://git.example/team/app", "https://git.example", True),
        (
            "https://git.example/team-b/app",
            "https://git.example/team",
            True,
        ),  # as upstream: no end of a part is asked for
        ("https://git.example/team/app", "https://git.example/team/app.git", True),
        ("https://git.example.evil/team/app", "https://git.example", False),
        ("https://git.example/team/app", "https://git.example/other", False),
        ("https://git.example/team/app", "https://", False),
        ("https://git.example/team/app", "", False),
        ("git@git.example:team/app", "git@git.example:team", True),
        ("git@git.example:team/app", "ssh://git@git.example", True),
        ("https://git.example:8443/a", "https://git.example", False),
    ],
)
def test_a_template_applies_where_its_url_is_a_prefix_on_the_same_host(url: str, prefix: str, covered: bool) -> None:
    assert (begins_with(url, prefix) > 0) is covered


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("clone https://u:p@h/a failed", "clone https://h/a failed"),
        ("clone 'HTTPS://token@h/a'", "clone 'HTTPS://h/a'"),
        ("https://u:p@x@h/a", "https://h/a"),
        ("ssh://git:p@h/a ssh://git@h/a", "ssh://git@h/a ssh://git@h/a"),
        ("Authorization: Bearer abc.def x", "Authorization: Bearer *** x"),
        ("GET /a?private_token=abc&b=1 and ?x_key=1", "GET /a?private_token=***&b=1 and ?x_key=***"),
        ("it said c4nary-value twice: c4nary-value", "it said *** twice: ***"),
        ("mail ada@example about https://h/a@b", "mail ada@example about https://h/a@b"),
    ],
)
def test_text_loses_its_credentials(text: str, safe: str) -> None:
    assert redact(text, ["c4nary-value", "", "x"]) == safe
