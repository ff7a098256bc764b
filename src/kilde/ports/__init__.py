"""What the engine needs of the world: small Protocols, each with its promises."""
