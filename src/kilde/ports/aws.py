"""Aws: requests and tokens that an identity of AWS vouches for."""

from typing import Protocol

from kilde.core.basics.errors import KildeError
from kilde.core.sets.outside import Request


class AwsError(KildeError):
    """There is no identity, or AWS does not give the one that was asked for. Says neither key nor token."""

    code = "aws-error"


class Aws(Protocol):
    """Promises.

    * `signed` gives the request that `request.aws` tells about as it is to be sent: to the service's own address, with a signature.
    * `cluster_token` gives a bearer token for a cluster of EKS, and when it ends (seconds since the epoch).
    * Identities are found as AWS's SDKs find them, kept while they last, and renewed before they end; AwsError where there is none.
    """

    async def signed(self, request: Request) -> Request: ...

    async def cluster_token(self, cluster: str, *, role: str = "", profile: str = "") -> tuple[str, float]: ...
