"""Processes, their ranks, and what a run logs."""
