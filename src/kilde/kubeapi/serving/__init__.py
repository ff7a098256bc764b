"""HTTP: requests become calls, records become answers."""
