"""What a report does not repeat: tokens, private keys and passwords in URLs, wherever a message happens to quote them."""

from kilde.core.check.leaks.keys import find_keys
from kilde.core.check.leaks.lines import find_urls
from kilde.core.check.leaks.names import holds_secrets, promise_of
from kilde.core.check.leaks.tokens import find_tokens
from kilde.core.objects.yaml_reader import Path

_LONGEST = 4_000  # characters of one message
_INSTEAD = "******"


def harmless(text: str) -> str:
    """The text without them, and no longer than anyone reads."""
    for sighting in (*find_tokens(text), *find_keys(text), *find_urls(text)):
        if sighting.value:
            text = text.replace(sighting.value, _INSTEAD)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def is_secret_field(path: Path) -> bool:
    """Whether a field's name, or that of one above it, promises a secret."""
    return any(isinstance(step, str) and (promise_of(step) or holds_secrets(step)) for step in path)
