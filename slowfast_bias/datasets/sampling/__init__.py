"""The choice of frames and pixels of a video that make a clip."""
