"""The families of generated styles, a file each; bank.py makes banks of them by name."""
