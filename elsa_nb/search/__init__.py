"""The search method: arrays in, arrays out. Knows no images, no files, no notebooks."""
