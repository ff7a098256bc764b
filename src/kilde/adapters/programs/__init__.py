"""Programs of the user's choice that a build may run: helm, KRM functions, plugins. For the command line, never the controller."""
