"""Optical flow: its pictures, its files and where they are kept, and how it is computed."""
