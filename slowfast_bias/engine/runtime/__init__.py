"""Processes, their ranks, and logging."""
