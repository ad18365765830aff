"""Where images come from: the bundled glyphs, packs, folders of files, ImageNet, Food-101, Hugging Face."""
