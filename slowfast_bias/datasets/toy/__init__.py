"""The toy world: clips rendered on demand, whose static and dynamic factors are known."""
