"""Data of video object segmentation: an image, its flow, and the mask of what moves."""
