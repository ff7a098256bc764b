"""For tests: fakes that keep the adapters' promises (shared contract tests), and the pytest plugin with its cluster in a box."""
