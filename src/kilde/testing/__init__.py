"""Fakes that keep the same promises as the adapters (shared contract tests), for our tests and those of others."""
