"""What needs which key, over everything that the cluster's Applications watch."""

import asyncio

from kilde.cli.target import Target
from kilde.core.secrets.keys import SealingKey
from kilde.core.secrets.needs import Needs, needs


def look(target: Target, keys: tuple[SealingKey, ...], others: str) -> Needs:
    """Fetches every repository, reads every revision that is watched and every SealedSecret of the cluster. KildeError.

    `others`: where else Applications may be, else they are looked for in all namespaces.
    """
    from kilde.wiring.watched import watched

    target.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = asyncio.run(
        watched(
            target.kubeconfig,
            context=target.context,
            namespace=target.namespace,
            data_dir=target.data_dir,
            others=others,
        )
    )
    seen = needs(found.branches, found.live, keys)
    seen.problems = [*found.problems, *seen.problems]
    return seen
