"""World: what all verbs share: the store, the kinds it serves now, and the time and chance they use."""

import secrets
import time
import uuid
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric import ec

from kilde.core.basics.moment import rfc3339
from kilde.kubeapi.access.authorizer import Authorizer
from kilde.kubeapi.access.tokens import Tokens, signing_key
from kilde.kubeapi.allocations import Allocations
from kilde.kubeapi.aside import Aside
from kilde.kubeapi.kinds import COMPONENTS, Kind, Kinds
from kilde.kubeapi.logic.metadata import NAME_LETTERS
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.release import Release, release
from kilde.kubeapi.storage.records import Key, Record
from kilde.kubeapi.storage.store import Store
from kilde.kubeapi.webhooks.questions import Asks, Question, Reply


class _Webhooks:
    """What calls them is loaded for the first call: it is slow to load, and few clusters have any."""

    async def ask(self, question: Question) -> Reply:
        from kilde.kubeapi.webhooks.calling import Caller

        return await Caller().ask(question)


class World:
    """Used by one event loop only. Everything here is synchronous: between reading and writing nothing comes between."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        service_range: str = "10.0.0.0/16",
        key: ec.EllipticCurvePrivateKey | None = None,
        serves: Release | None = None,
        parts: Mapping[str, Record] | None = None,
    ) -> None:
        """`key` signs the tokens of ServiceAccounts; without it they end with the process. `serves` None is the newest release.

        `parts` are the statuses of the control plane's parts, which are not stored.
        """
        self.store, self._clock = store, clock
        self._second = (-1, "")
        self.authorizer = Authorizer(store)
        self.tokens = Tokens(store, signing_key(None) if key is None else key)
        self.allocations = Allocations(store, service_range)
        self.release = serves or release()
        self.kinds = Kinds(Catalog((), self.release.resources), {}, release=self.release)
        self.webhooks: Asks = _Webhooks()
        self.aside = Aside()
        self.components: Mapping[str, Record] = parts or {}

    def time(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def now(self) -> str:
        """The time as objects carry it."""
        second = int(self._clock())
        if second != self._second[0]:
            self._second = (second, rfc3339(second))
        return self._second[1]

    def new_uid(self) -> str:
        return str(uuid.uuid4())

    def new_suffix(self) -> str:
        """Five letters for generateName."""
        return "".join(secrets.choice(NAME_LETTERS) for _ in range(5))

    def find(self, kind: Kind, namespace: str, name: str) -> Record | None:
        """What is kept of that kind under that name."""
        if kind.storage == COMPONENTS:
            return self.components.get(name)
        return self.store.get(Key(kind.storage, namespace if kind.resource.namespaced else "", name))
