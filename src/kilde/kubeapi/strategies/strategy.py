"""Strategy: what a kind adds to a write. Nothing, unless a method is overridden."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.world import World


class Strategy:
    """Each method may change the object it is given (and only that), warn by `call.warn`, and refuse with ApiError."""

    def complete(self, obj: Object) -> None:
        """What decoding adds to an object beyond its defaults, before it is known who owns which field."""

    def admit_new(self, world: World, call: Call, obj: Object) -> None:
        """Mutating admission of a new object, after its defaults."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        """What the server sets in a new object: allocations, generated selectors."""

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        """The same for an update, after what this endpoint cannot change has been put back."""

    def problems(self, world: World, call: Call, new: Object, old: Object | None) -> list[Cause]:
        """Causes that only the world knows: something taken, something missing."""
        return []

    def admit(self, world: World, call: Call, new: Object, old: Object | None) -> None:
        """Validating admission by the kind itself, once the object is known to be valid. `old` is None where it is new."""
