"""X3D and MViT as modules of our own, for hosts that lack them; SlowFast main's parameter names."""
