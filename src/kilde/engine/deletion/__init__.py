"""Deletion: of an application with its objects and hooks, within a budget, and kept so that it can be undone."""
