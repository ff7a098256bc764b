"""The certificate that an API server shows, whoever trusts it."""

import asyncio
import contextlib
import ssl
from urllib.parse import urlsplit

from kilde.adapters.cluster.access import Access

_PATIENCE = 10.0


async def serving_certificate(access: Access) -> bytes:
    """In PEM; b"" where it cannot be had: over plain http, through a proxy, or when the server does not answer."""
    url = urlsplit(access.server)
    if url.scheme != "https" or access.proxy_url or not url.hostname:
        return b""
    open_to_all = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    open_to_all.check_hostname, open_to_all.verify_mode = False, ssl.CERT_NONE  # only looked at: nothing is sent
    with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
        async with asyncio.timeout(_PATIENCE):
            name = access.tls_server_name or url.hostname
            _, writer = await asyncio.open_connection(
                url.hostname, url.port or 443, ssl=open_to_all, server_hostname=name
            )
            try:
                shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                return ssl.DER_cert_to_PEM_cert(shown).encode() if shown else b""
            finally:
                writer.close()
                with contextlib.suppress(OSError, ssl.SSLError):
                    await writer.wait_closed()
    return b""
