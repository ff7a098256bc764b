"""AWS's shared files, `config` and `credentials`: the profiles in them, as its SDKs read them."""

import configparser
from collections.abc import Mapping
from pathlib import Path

from kilde.ports.aws import AwsError

_LARGEST = 1 << 20  # bytes of a file
DEFAULT = "default"
Profile = Mapping[str, str]


def read_profiles(environment: Mapping[str, str]) -> dict[str, Profile]:
    """Every profile by its name; what `credentials` says of one stands over what `config` says. A file that is not there has none."""
    home = Path(environment.get("HOME") or "/") / ".aws"
    config = _sections(Path(environment.get("AWS_CONFIG_FILE") or home / "config"))
    secrets = _sections(Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials"))
    found: dict[str, dict[str, str]] = {}
    for title, values in config.items():
        kind, _, name = title.partition(" ")
        if title == DEFAULT or (kind == "profile" and name.strip()):
            found.setdefault(name.strip().strip("\"'") or DEFAULT, {}).update(values)
    for title, values in secrets.items():
        found.setdefault(title, {}).update(values)
    return dict(found)


def _sections(path: Path) -> dict[str, dict[str, str]]:
    try:
        with path.expanduser().open("rb") as file:
            text = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return {}
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it has no home"
        raise AwsError(f"cannot be read: {reason}", about=str(path)) from None
    if len(text) > _LARGEST:
        raise AwsError(f"has more than {_LARGEST} bytes", about=str(path))
    parser = configparser.RawConfigParser(strict=False, default_section="")
    try:
        parser.read_string(text.decode())
    except (configparser.Error, UnicodeDecodeError):
        raise AwsError("cannot be read: a line of it is neither a section nor a setting", about=str(path)) from None
    return {title: dict(parser.items(title)) for title in parser.sections()}
