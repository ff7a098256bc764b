"""Whether a value may be a secret: no placeholder, no reference, no hash, and where the name promises little, random."""

import base64
import binascii
import math
import re
from collections import Counter

from kilde.core.check.leaks.names import Promise

LONGEST = 4096  # characters of a value that are looked at
_SHORTEST = 4
_TEMPLATE = "\ufffc"  # what a template's action was taken out for

_PLACEHOLDER = re.compile(
    r"""
    \s*(?:
      [\$%@&]?[\{\(\[<].*[\}\)\]>]          # ${X} $(X) {{x}} <x> [x] (x)
    | \$\w+ | %\w+% | __\w+__ | @+\w+@+
    | [*.\-_?#=~]+ | [xX]{3} | [xX]{4,}[\w-]* | (.)\1{3,}        # ***, ...., xxxx, 1111
    | (?:ref\+|vault:|op://|awssm:|awsps:|gcpsm:|azkv:|secretref:|env:|file:|arn:|sops:|enc:|kms:|ssm:|sm://|secret://|keyvault:)\S*
    | (?:encrypted:|sealed:|doppler:|bws:)\S*
    | ENC\[[\w-]+,.*
    | \{(?:SSHA|SHA|CRYPT|PBKDF2|ARGON2)\S*
    | \$(?:2[abxy]|argon2\w*|5|6|y|apr1|pbkdf2\S*|scrypt|1)\$.*
    | (?:scrypt|pbkdf2|argon2|bcrypt|sha\d{1,3}|md5|scram-sha-256)[:$\-].*
    | [~.]{0,2}/[\w.@/~+\-]*                                # a path
    | (?:os\.|process\.|System\.|env\.|var\.|local\.|data\.|module\.|random_\w+\.|settings\.|config\.|self\.|this\.|ctx\.|args\.|\.Values).*
    | [A-Za-z_][\w.]{0,60}\(.{0,200}                              # a call
    | (?:https?|git|ssh|oci|s3|gs)://[^\s:@]*
    | (?:true|false|yes|no|on|off|null|nil|none|undefined|n/?a|empty|unset|disabled|enabled|optional|required)
    | (?:string|str|text|bytes|int|number|bool|boolean|any|object)
    )\s*
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_SAYS_SO = re.compile(
    r"""
      change[-_\ ]?(?:me|this|it) | replace[-_ ]?(?:me|this|with|by) | your[-_ ]?\w | example | placeholder | dummy | redacted
    | to[-_]?be[-_]? | ^todo | fixme | \btbd\b | insert[-_ ]
    | ^(?:my|some|an?|the|fake|test|sample|foo|bar|not|super|default|generated|random|set|use|put|enter|fill|see|from|managed|unused)?
      [-_ ]?
      (?:api|access|auth|client|secret|db|admin|root|user|jwt|private|signing|encryption|bearer|database|github|gitlab|slack|postgres\w*
         |mysql|redis|rabbitmq|minio|keycloak|grafana|app)?
      [-_ ]?
      (?:password|passwd|passphrase|pwd|pass|secret|token|apikey|key|credentials?|value|here|env)
      [-_ ]?(?:here|value|key|id|name|ref|token)?$
    | ^(?:foo|bar|baz|qux|foobar|test|testing|lorem|ipsum|abc|abcd|values?|secret[-_]?\d?|key\d?|data|unknown|basic|bearer|oauth2?|saml|oidc
         |jwt|ldap|plain|opaque|mock)$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_KINDS_OF_VALUE = re.compile(
    r"""
      [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}   # a UUID
    | [+-]?[0-9][0-9.,_]{0,12}(?:[smhdwy]|ms|us|ns|[KMGTPE]i?[Bb]?|%|m)?            # a number, a duration, a quantity
    | v?[0-9]+(?:\.[0-9x*]+)+(?:[-+][\w.+-]*)?                                     # a version, an address
    | [0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][\d:.]+(?:Z|[+-][\d:]+)?)?                     # a date
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                                               # a mail address
    | (?:[a-z0-9-]+\.)+[a-z]{2,12}(?::[0-9]+)?(?:/[\w./-]*)?(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?  # a host, an image
    | [a-z0-9-]+(?:/[a-z0-9._-]+)+(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?                        # an image, a path
    | (?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-ssh\S+)[ ].* | age1[0-9a-z]{50,} | pk_(?:live|test)_\w+ | [cr]k_test
    | -----BEGIN\ (?:CERTIFICATE(?:\ REQUEST)?|(?:RSA\ )?PUBLIC\ KEY|X509\ CRL|AGE\ ENCRYPTED\ FILE|DH\ PARAMETERS|EC\ PARAMETERS)-----.*
    | -----BEGIN\ (?:PGP\ (?:PUBLIC\ KEY\ BLOCK|MESSAGE|SIGNATURE)|SSH\ SIGNATURE)-----.*
    | data:image/.*
    """,
    re.VERBOSE | re.DOTALL,
)
_HEX = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}|[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{64}")
_WORDS = re.compile(r"(?:[A-Z]?[a-z]{1,23}|[A-Z]{2,23})(?:[-_./: ](?:[A-Z]?[a-z]{1,23}|[A-Z]{1,23}))*[0-9]{0,3}")
_CAMEL = re.compile(r"(?:[A-Z]\d)?(?:[A-Z]?[a-z]{2,}|[A-Z]{2,6}(?![a-z]))(?:[A-Z][a-z]{1,})*[0-9]{0,2}")
_POD_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]{2,12})+")
_RUN = re.compile(r"[0-9]+|[a-z]+|[A-Z]+|[^0-9A-Za-z]")
_ENCODED = (
    "iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "PHN2Zy", "PD94bWw", "AAABAA",  # images
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FUR", "LS0tLS1CRUdJTiBQVUJMSUMg",  # -----BEGIN CERTIFICATE, -----BEGIN PUBLIC
)  # fmt: skip


def is_placeholder(value: str) -> bool:
    """Whether it stands for something that is not here: `changeme`, `${VAR}`, `<…>`, a reference, a hash, a template's action."""
    value = value.strip()[:LONGEST]
    if len(value) < _SHORTEST or _TEMPLATE in value:
        return True
    if _PLACEHOLDER.fullmatch(value):
        return True
    return len(value) <= 80 and bool(_SAYS_SO.search(value))


def is_public(value: str) -> bool:
    """A certificate, a public key, an image, a number, an address, a name of something: what may be read by all."""
    value = value.strip()[:LONGEST]
    return value.startswith(_ENCODED) or _KINDS_OF_VALUE.fullmatch(value) is not None


def is_credential(value: str, promise: Promise) -> bool:
    """Whether the value beside a name that promises so much is a credential."""
    value = value.strip()
    if promise is Promise.NOTHING or len(value) > LONGEST or is_placeholder(value):
        return False
    if promise is Promise.PASSWORD:
        return not any(mark.isspace() for mark in value) and (not is_public(value) or value.isdigit())
    return is_thrown(value)


def is_thrown(value: str) -> bool:
    """Whether dice have thrown it, as far as one can see; beside a name that promises a key, a hash and a UUID are that, too."""
    return is_random(value) or _UUID_OR_HEX.fullmatch(value) is not None


_UUID_OR_HEX = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|" + _HEX.pattern)


def is_random(value: str) -> bool:
    """Whether it looks as if dice had thrown it, as keys and tokens do and names do not."""
    if not 8 <= len(value) <= LONGEST or any(mark.isspace() for mark in value):
        return False
    if is_placeholder(value) or is_public(value) or _HEX.fullmatch(value):
        return False
    if _WORDS.fullmatch(value) or _CAMEL.fullmatch(value):
        return False
    runs = _RUN.findall(value[:256])
    letters = sum(mark.isalpha() for mark in value)
    if not letters or letters == len(value):
        return len(value) >= 16 and entropy(value) >= 3.5 and len(runs) >= 6
    if _POD_NAME.fullmatch(value) and len(value) < 40 and not _dense(value):
        return False
    return (
        entropy(value) >= (2.5 if len(value) < 12 else 3.0)
        and len(runs) >= 3
        and _longest_word(runs) < len(value) * 0.6
    )


def _dense(value: str) -> bool:
    """Whether letters and digits change places often: `a8f3kz9q`, not `db-credentials-v2`."""
    numbers = [run for run in _RUN.findall(value) if run.isdigit()]
    return len(numbers) * 4 >= len(value) / 2


def _longest_word(runs: list[str]) -> int:
    return max(len(run) for run in runs)


def entropy(value: str) -> float:
    """Shannon's, in bits a character."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def decoded(value: str, shortest: int = 8) -> str:
    """What base64 of a text stands for; "" where it is not that, or has fewer characters."""
    compact = "".join(value[: LONGEST * 16].split())
    if len(compact) < shortest or len(compact) % 4:
        return ""
    try:
        text = base64.b64decode(compact, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text if all(mark.isprintable() or mark in "\r\n\t" for mark in text[:2000]) else ""
