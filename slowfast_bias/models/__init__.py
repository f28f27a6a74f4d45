"""Floor 2: what is done to a network. Torch only."""
