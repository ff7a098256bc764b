"""Tokens of project roles as the command line reaches them."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from kilde.cli.applications import MANAGER
from kilde.cli.target import Target
from kilde.core.access.roles import Token
from kilde.core.basics.moment import rfc3339

if TYPE_CHECKING:
    from kilde.engine.fleet.tokens import ProjectTokens


@contextlib.asynccontextmanager
async def project_tokens(target: Target) -> AsyncIterator["ProjectTokens"]:
    """Those of the cluster and namespace that the command line names."""
    import os

    from kilde.engine.fleet.tokens import ProjectTokens
    from kilde.wiring.cluster import open_cluster

    cluster = open_cluster(target.kubeconfig, context=target.context)
    try:
        yield ProjectTokens(cluster, target.namespace, manager=MANAGER, dice=os.urandom)
    finally:
        await cluster.close()


def moment(token: Token) -> str:
    """When it was made, and until when it is good."""
    until = f"good until {rfc3339(token.expires_at)}" if token.expires_at else "good for ever"
    return f"issued {rfc3339(token.issued_at)}, {until}"
