"""AwsIdentities: keeps what the chain found while it lasts, and signs with it."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from kilde.adapters.aws.asking import Held
from kilde.adapters.aws.chain import Chain
from kilde.adapters.aws.places import endpoint
from kilde.core.basics.aws_signature import Keys, Signer
from kilde.core.sets.outside import Request
from kilde.ports.aws import AwsError
from kilde.ports.clock import Clock

_EARLY = 300.0  # seconds before their end at which keys are renewed
_TOKEN_LASTS = 14 * 60.0  # of the 15 minutes that AWS takes such an address
_MOST = 256  # identities that are kept


class AwsIdentities:
    """Keeps the promises of ports.aws. `environment`: the process's own."""

    def __init__(self, clock: Clock, environment: Mapping[str, str]) -> None:
        self._clock, self._environment = clock, environment
        self._lock = asyncio.Lock()
        self._held: dict[tuple[str, str], Held] = {}

    async def signed(self, request: Request) -> Request:
        call = request.aws
        if call is None:
            return request
        region = call.region or self._chain().region_of()
        url = endpoint(call.service, region, self._environment) + (urlsplit(request.url).path or "/")
        signer = Signer(keys=await self._keys("", call.role, region), region=region, service=call.service)
        headers = signer.headers(
            self._clock.now(), method=request.method, url=url, headers=request.headers, body=request.body
        )
        return replace(request, url=url, headers=headers, aws=None)

    async def cluster_token(self, cluster: str, *, role: str = "", profile: str = "") -> tuple[str, float]:
        region = self._chain().region_of(profile)
        url = f"{endpoint('sts', region, self._environment)}/"
        signer = Signer(keys=await self._keys(profile, role, region), region=region, service="sts")
        asked = {"Action": "GetCallerIdentity", "Version": "2011-06-15", "X-Amz-Expires": "60"}
        now = self._clock.now()
        address = signer.address(now, url=url, query=asked, headers={"x-k8s-aws-id": cluster})
        token = base64.urlsafe_b64encode(address.encode()).decode().rstrip("=")
        return f"k8s-aws-v1.{token}", now + _TOKEN_LASTS

    def _chain(self, region: str = "") -> Chain:
        return Chain(environment=self._environment, now=self._clock.now(), region=region)

    async def _keys(self, profile: str, role: str, region: str) -> Keys:
        async with self._lock:
            held = self._held.get((profile, role))
            ends = held[1] if held else None
            if held is None or ends is None or self._clock.now() >= ends - _EARLY:
                try:
                    held = await self._found(profile, role, region)
                except AwsError:
                    if held is None or ends is None or self._clock.now() >= ends:
                        raise
                    return held[0]  # they still open what they open; the next look asks again
                if len(self._held) >= _MOST:
                    self._held.clear()
                self._held[profile, role] = held
            return held[0]

    async def _found(self, profile: str, role: str, region: str) -> Held:
        chain = self._chain(region)
        found = await chain.find(profile)
        return await chain.assume(found, role) if role else found
