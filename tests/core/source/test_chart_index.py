"""Indexes of chart repositories, and the version that a word means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.errors import InvalidYaml
from kilde.core.objects.yaml_writer import write_document
from kilde.core.source.chart_index import best_version, entry_of, index_url, read_index
from kilde.core.source.chart_place import ChartPlace, is_chart_name, parse_place

INDEX = (
    b"""apiVersion: v1
entries:
  other:
  - name: other
    version: 9.0.0
    description: |
      shop:
      - name: shop
    urls: [other-9.0.0.tgz]
  shop:
  - name: shop
    version: 2.0.0
    created: "2026-01-02T03:04:05Z"
    digest: sha256:"""
    + b"AB" * 32
    + b"""
    urls:
    - https://elsewhere.example/shop-2.0.0.tgz
    - second
  - name: shop
    version: 1.0.0
    urls: [shop-1.0.0.tgz]
  - name: shop
    version: not-one
    urls: [x]
  - name: shop
    version: 0.9.1
    digest: 12345
    urls: [x]
  - name: shop
    version: 0.9.0
    urls: []
generated: "2026-01-02T03:04:05Z"
"""
)


def test_versions_are_read_in_order_with_absolute_addresses_and_what_is_none_is_passed_over() -> None:
    found = read_index(INDEX, "shop", "https://charts.example/a?token=t")
    assert found is not None
    assert [(one.version, one.url, one.digest) for one in found] == [
        ("2.0.0", "https://elsewhere.example/shop-2.0.0.tgz", "ab" * 32),
        ("1.0.0", "https://charts.example/a/shop-1.0.0.tgz?token=t", ""),
    ]
    assert read_index(INDEX, "nothing", "https://charts.example") is None
    assert index_url("https://charts.example/a/?x=1") == "https://charts.example/a/index.yaml?x=1"


def test_an_index_written_otherwise_is_read_too_and_one_that_is_none_is_told() -> None:
    flow = b'{"apiVersion":"v1","entries":{"shop":[{"name":"shop","version":"1.0.0","urls":["a.tgz"]}]}}'
    found = read_index(flow, "shop", "https://charts.example/")
    assert found is not None
    assert [one.url for one in found] == ["https://charts.example/a.tgz"]
    with pytest.raises(InvalidYaml, match="no index of charts"):
        read_index(b"<html></html>", "shop", "https://charts.example/")


_NAMES = st.text("abc-", min_size=1, max_size=4).filter(is_chart_name)
_TEXTS = st.text("ab\n :#-'", max_size=12)


@given(
    st.dictionaries(
        _NAMES, st.lists(st.tuples(st.integers(0, 9), _TEXTS), min_size=1, max_size=3), min_size=1, max_size=4
    )
)
def test_one_chart_cut_out_of_an_index_reads_as_it_does_in_the_whole(charts: dict[str, list[tuple[int, str]]]) -> None:
    entries = {
        name: [{"name": name, "version": f"{n}.0.0", "description": text, "urls": ["a.tgz"]} for n, text in versions]
        for name, versions in charts.items()
    }
    text = write_document({"apiVersion": "v1", "entries": entries, "generated": "x"}).encode()
    for name, versions in charts.items():
        found = read_index(text, name, "https://charts.example")
        assert found is not None
        assert [one.version for one in found] == [f"{n}.0.0" for n, _ in versions]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("1.2.3", "1.2.3"),  # whether it is there or not
        ("v1.2", "v1.2"),
        ("^1.0.0", "1.10.0"),
        ("1.x", "1.10.0"),
        ("*", "2.0.0+b"),
        (">=2.1.0-0", "2.1.0-rc.1"),
        (">3", ""),
        ("latest", "latest"),
        ("nothing", ""),
        ("", ""),
    ],
)
def test_a_word_means_a_version(word: str, meant: str) -> None:
    assert best_version(word, ["1.2.0", "1.10.0", "2.0.0+b", "2.1.0-rc.1", "latest"]) == meant


def test_a_version_in_part_is_found_as_helm_finds_it() -> None:
    known = read_index(INDEX, "shop", "https://charts.example") or ()
    assert [one.version if (one := entry_of(word, known)) else "" for word in ("1.0.0", "v2.0.0", "1.0", "3.0.0")] == [
        "1.0.0",
        "2.0.0",
        "1.0.0",
        "",
    ]


@pytest.mark.parametrize(
    ("repository", "registry", "host", "image"),
    [
        ("https://charts.example:8443/stable", False, "charts.example:8443", "stable/a/b"),
        ("registry.example/team", True, "registry.example", "team/a/b"),
        ("oci://registry.example:5000", True, "registry.example:5000", "a/b"),
    ],
)
def test_a_place_is_one_word_and_back(repository: str, registry: bool, host: str, image: str) -> None:
    for passes in (False, True):
        place = ChartPlace(repository=repository, chart="a/b", pass_credentials=passes)
        assert parse_place(place.key) == place
        assert (place.in_registry, place.host, place.image) == (registry, host, image)
    assert parse_place("https://git.example/chart.git") is None
    assert [is_chart_name(name) for name in ("a", "a/b", "../a", "a/../b", "a b", "", "a//b")] == [
        True,
        True,
        *[False] * 5,
    ]
