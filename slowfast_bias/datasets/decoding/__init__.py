"""Reading frames from files: the readers behind `datasets.decoding.read_frames`."""
