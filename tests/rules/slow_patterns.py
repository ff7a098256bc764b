"""Prints the regular expressions of the package that take for ever with a hostile text, in the way that their module uses them.

One that looks through a long text once is done within milliseconds; one that begins anew at each character is not within seconds.
"""

import importlib
import pkgutil
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType

import kilde

LENGTH = 20_000  # characters
SECONDS = 0.15  # of this process' CPU; what is linear takes a hundredth of it
EVERYWHERE = "9aA \n\t-./=\"'_[({<#\\:@0"
PAIRS = ("a.", "a-", "a/", "a ", "a=", "9.", " \n", "a\n", "a:", '"\\', "a,", 'a"')
ASKED = {"finditer": "findall", "sub": "findall", "subn": "findall", "split": "findall"}


class TooSlowError(Exception):
    """The time is over."""


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(kilde.__path__, "kilde."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def uses(name: str, source: str) -> set[str]:
    """How a module calls a pattern of its own; one that is handed on is taken to be matched as a whole."""
    calls = re.findall(rf"\b{re.escape(name)}\.(match|fullmatch|search|findall|finditer|sub|subn|split)\(", source)
    return {ASKED.get(call, call) for call in calls} or {"fullmatch"}


def texts(pattern: str) -> Iterator[str]:
    own = "".join(dict.fromkeys(character for character in pattern if character.isprintable()))[:40]
    head = re.sub(r"[^A-Za-z0-9 :/_=-].*", "", pattern.lstrip("^(?:\\"), flags=re.DOTALL)[:20]
    for part in (*dict.fromkeys(EVERYWHERE + own), *PAIRS):
        for start in dict.fromkeys(("", head)):
            body = start + part * (LENGTH // len(part))
            yield body
            yield body + "\x01"


def is_slow(pattern: re.Pattern[str] | re.Pattern[bytes], ways: set[str]) -> bool:
    is_bytes = isinstance(pattern.pattern, bytes)
    source = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    for text in texts(source):
        for way in ways:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                getattr(pattern, way)(text.encode("latin-1", "replace") if is_bytes else text)
            except TooSlowError:
                return True
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    return False


def over(number: int, frame: FrameType | None) -> None:
    raise TooSlowError


def main() -> None:
    signal.signal(signal.SIGPROF, over)
    for module in modules():
        source = Path(str(module.__file__)).read_text()
        for name, value in vars(module).items():
            mine = re.search(rf"^{re.escape(name)}\b.*=", source, re.MULTILINE)
            if isinstance(value, re.Pattern) and mine and is_slow(value, uses(name, source)):
                print(f"{module.__name__}.{name}", flush=True)


if __name__ == "__main__":
    main()
