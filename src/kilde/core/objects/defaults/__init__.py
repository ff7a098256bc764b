"""Defaulting: what an API server makes of a built-in object before it stores it.

`apply_defaults(obj)` answers a new object: decoded and encoded as Go does it (empty fields left out, value structs there, quantities
canonical, unknown fields gone) and with the defaults of every type in it. One file a family of kinds; they are listed in registry.py.
`as_stored(value, node)` does that with one value of a built-in type, `as_empty(node)` with an object of which nothing is set.
"""

from kilde.core.objects.defaults.apply import apply_defaults, as_empty, as_stored

__all__ = ["apply_defaults", "as_empty", "as_stored"]
