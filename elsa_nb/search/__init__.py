"""The search method: arrays in, arrays out. It knows nothing of images, files or notebooks."""
