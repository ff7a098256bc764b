"""Beside a running controller: looks at one application, and acts on it, for the command line."""
