"""How frames come out of files: the readers behind `datasets.decoding.read_frames`."""
