"""The composition root: only the modules of this folder pick concrete classes. One for each thing that is put together, so that a
command loads what it needs."""
