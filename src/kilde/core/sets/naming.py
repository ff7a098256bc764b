"""Names made of anything: DNS names as Argo CD's `normalize`, slugs as its `slugify` and `branch_slug` make them.

The rules of a slug are those of gosimple/slug for English; letters outside of ASCII lose their accents, or become a dash
(the original spells other scripts in Latin letters).
"""

import re
import unicodedata

_NOT_IN_A_NAME = re.compile(r"[^-a-z0-9.]")
_NOT_IN_A_SLUG = re.compile(r"[^a-zA-Z0-9\-_]")
_DASHES = re.compile(r"-+")
_WORDS = str.maketrans({"&": "and", "@": "at", '"': "", "'": "", "’": "", "‒": "-", "–": "-", "—": "-", "―": "-"})
_LONGEST_NAME = 253
_SLUG = 50


def normalized(text: str) -> str:
    """Lower case letters, digits, `-` and `.`; at most 253; begins and ends with a letter or digit."""
    return _NOT_IN_A_NAME.sub("-", text.lower())[:_LONGEST_NAME].strip("-.")


def slug(text: str, *, longest: int = _SLUG, smart: bool = True) -> str:
    """A slug of at most `longest` characters (0: any); `smart` cuts between words, where there is more than one."""
    plain = unicodedata.normalize("NFKD", text.strip().translate(_WORDS))
    plain = "".join(char for char in plain if not unicodedata.combining(char)).lower()
    if not smart and len(plain) >= longest:
        plain = plain[:longest]
    made = _DASHES.sub("-", _NOT_IN_A_SLUG.sub("-", plain)).strip("-_")
    if not (longest > 0 and smart) or len(made) <= longest:
        return made
    cut = made.rfind("-", 0, longest + 1)
    return made[:cut] if cut >= 0 else made[:longest]


def branch_slug(branch: str) -> str:
    """A branch's slug, underscores as dashes."""
    return slug(branch.replace("_", "-"))


def slugify(*arguments: object) -> str:
    """The template function: `slugify [longest [smart]] name`."""
    *options, name = arguments or ("",)
    longest, smart = _SLUG, True
    if options and isinstance(options[0], int):
        longest = options[0]
    if len(options) > 1:
        smart = bool(options[1])
    if not isinstance(name, str):
        raise TypeError("slugify: the last argument must be a string")
    return slug(normalized(name), longest=longest, smart=smart)
