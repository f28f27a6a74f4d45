"""The toy world: clips rendered on the fly, whose static and dynamic factors are known."""
