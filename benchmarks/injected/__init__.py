"""What `benchmarks/faults.py` injects, a file for each kind of fault."""
