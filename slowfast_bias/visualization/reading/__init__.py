"""Reads reports and other result files."""
