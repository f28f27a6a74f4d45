"""Floor 2: what goes in: datasets, loaders, styles, pairs."""
