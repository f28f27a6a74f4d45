"""Weights from files: read without executing anything, loaded whole or not at all."""
