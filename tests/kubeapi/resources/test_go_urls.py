"""What is said of texts that are no URLs: Go's words, as a real API server (1.36.3) tells them of webhooks."""

import pytest

from kilde.kubeapi.resources.validation.go_urls import url_problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10%", 'parse "10%": invalid URL escape "%"'),
        ("https://h/p%2", 'parse "https://h/p%2": invalid URL escape "%2"'),
        ("https://h/#%zz", 'parse "https://h/#%zz": invalid URL escape "%zz"'),
        ("https://h%41/", 'parse "https://h%41/": invalid URL escape "%41"'),
        ("https://a b/", 'parse "https://a b/": invalid character " " in host name'),
        ("https://[::1", "parse \"https://[::1\": missing ']' in host"),
        ("https://[1.2.3.4]/", 'parse "https://[1.2.3.4]/": invalid IP-literal'),
        ("https://[zz]/", 'parse "https://[zz]/": invalid host: ParseAddr("zz"): unable to parse IP'),
        ("https://a:b/", 'parse "https://a:b/": invalid port ":b" after host'),
        ("https://a:1:2/", 'parse "https://a:1:2/": invalid port ":1:2" after host'),
        ("https://u d@h/", 'parse "https://u d@h/": net/url: invalid userinfo'),
        ("://x", 'parse "://x": missing protocol scheme'),
        ("1https://x", 'parse "1https://x": first path segment in URL cannot contain colon'),
        ("https://h\t/", 'parse "https://h\\t/": net/url: invalid control character in URL'),
        ("\x7f", 'parse "\\x7f": net/url: invalid control character in URL'),
        *(
            (text, "")
            for text in ("https://h/ p", "https://[fe80::1%25en0]/", "https://ä:99999/", "https://h:/", "x y", "")
        ),
    ],
)
def test_what_is_no_url_is_told(text: str, words: str) -> None:
    assert url_problem(text) == words
