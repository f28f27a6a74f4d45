"""Writes styled copies of videos and describes banks of styles."""
