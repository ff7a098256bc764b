"""RSA keys of tests, made once, and certificates for them."""

import datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from kilde.core.secrets.keys import SealingKey, make_certificate

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def private(number: int = 0) -> rsa.RSAPrivateKey:
    """The key of that number; another number is another key."""
    return _private(number)


@cache
def _private(number: int) -> rsa.RSAPrivateKey:
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def sealing_key(number: int = 0, *, days: int = 0, name: str = "") -> SealingKey:
    """With a certificate that began so many days after NOW."""
    begin = NOW + datetime.timedelta(days=days)
    certificate = make_certificate(private(number), now=begin, seconds=86_400 * 3650, serial=bytes(range(16)))
    return SealingKey(private(number), certificate, name)
