"""The shell: asyncio; runs the core against the ports. Here alone the order of the stages is known."""
