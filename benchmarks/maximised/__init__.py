"""What `benchmarks/maximise_toy.py` asks of made clips, a file for each question."""
