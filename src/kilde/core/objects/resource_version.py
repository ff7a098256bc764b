"""Resource versions: which of two states of an object is the newer, and how far a watch has told.

They are numbers that grow, of all objects of a kind together (KEP-5504 makes it a promise).
"""

from dataclasses import dataclass


def is_newer(version: str, than: str) -> bool:
    """Whether one state of an object came after the other. Equal ones are the same; where one is no number, others are newer."""
    if version.isdigit() and than.isdigit():
        return int(version) > int(than)
    return version != than


@dataclass(slots=True)
class Horizon:
    """How far a watch has told. An object that it does not have, and that was written before, is gone again.

    The answer to a write may come after the event that says the object was deleted: taken in, it would stay for ever.
    """

    version: int = 0

    def reach(self, version: str) -> None:
        """The watch has told everything up to here; what is no number says nothing."""
        if version.isdigit():
            self.version = max(self.version, int(version))

    def covers(self, version: str) -> bool:
        """Whether the watch has told what was written at this version."""
        return version.isdigit() and int(version) <= self.version

    def is_behind(self, version: str) -> bool:
        """Whether this was written after all that the watch has told."""
        return self.version > 0 and version.isdigit() and int(version) > self.version
