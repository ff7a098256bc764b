"""NullBytes: a map in which null was sent for bytes, which Go keeps apart from empty bytes until it is stored."""


class NullBytes(dict[str, object]):
    """The map as it is stored, with empty bytes. Where a part cannot be changed it is another one than what is stored."""

    __slots__ = ()
