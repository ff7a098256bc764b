"""The guard: what refuses writes by people to objects that Git owns, and the windows that let them through for a time."""
