"""Benchmarks of published studies whose clips are made when they are read."""
