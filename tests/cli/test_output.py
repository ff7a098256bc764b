"""What reaches a terminal: tables that line up, colours only there, and nothing that a repository could make it obey."""

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kilde.cli import output as out
from kilde.cli.parameters import ADDRESS, DURATION
from kilde.cli.printable import printable

EVIL = "a\x1b[31mred\x1b]0;title\x07\r\x9b1m\u202eb"


def shown(work: object, *, colours: bool = False) -> str:
    @click.command()
    def command() -> None:
        assert callable(work)
        work()

    return CliRunner().invoke(command, color=colours, catch_exceptions=False).output


def test_columns_line_up_whatever_the_colours() -> None:
    rows = [("web", "Synced", "fine"), ("a-longer-one", "OutOfSync", "two\nlines  of it")]

    def work() -> None:
        out.table(("NAME", "SYNC", "NOTE"), rows)

    plain = shown(work)

    assert plain == (
        "NAME           SYNC        NOTE\nweb            Synced      fine\na-longer-one   OutOfSync   two lines of it\n"
    )
    coloured = shown(work, colours=True)
    assert "\x1b[32mSynced\x1b[0m      fine" in coloured
    assert click.unstyle(coloured) == plain


def test_a_difference_is_red_and_green_on_a_terminal_only() -> None:
    text = "--- live/a\n+++ git/a\n@@ -1 +1 @@\n-k: 1\n+k: 2\n same\n"

    assert shown(lambda: out.unified(text)) == text
    assert "\x1b[31m-k: 1\x1b[0m\n\x1b[32m+k: 2\x1b[0m\n same\n" in shown(lambda: out.unified(text), colours=True)


def test_what_could_steer_a_terminal_is_written_out() -> None:
    harmless = r"a\x1b[31mred\x1b]0;title\x07 \x9b1m\u202eb"

    assert shown(lambda: out.table(("X",), [(EVIL,)]), colours=True).endswith(f"\n{harmless}\n")
    assert shown(lambda: out.fields([("X", EVIL)]), colours=True) == f"X:  {harmless}\n"
    assert shown(lambda: out.unified(f"+{EVIL}"), colours=True) == click.style(f"+{printable(EVIL)}", fg="green") + "\n"
    assert shown(lambda: out.verdict("Failed", EVIL)) == f"Failed: {printable(EVIL)}\n"


@given(st.text())
def test_printable_text_has_no_control_characters_and_stays_as_it_is(text: str) -> None:
    once = printable(text)

    assert not any(ord(letter) < 0x20 and letter not in "\t\n" for letter in once)
    assert printable(once) == once


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("1h30m", 5400.0), ("5", 5.0), ("0", 0.0), ("250ms", 0.25), ("-1s", None), ("soon", None)],
)
def test_a_duration_is_as_go_writes_it_or_seconds(text: str, seconds: float | None) -> None:
    if seconds is None:
        with pytest.raises(click.BadParameter, match="is not a duration; write 90s, 5m or 1h"):
            DURATION.convert(text, None, None)
    else:
        assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8480", ("127.0.0.1", 8480)),
        (":0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("localhost", None),
        ("a:99999", None),
    ],
)
def test_an_address_is_host_and_port(text: str, address: tuple[str, int] | None) -> None:
    if address is None:
        with pytest.raises(click.BadParameter, match="is not HOST:PORT"):
            ADDRESS.convert(text, None, None)
    else:
        assert ADDRESS.convert(text, None, None) == address
