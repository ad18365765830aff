"""The bundled pool of images, drawn again from the fonts of named Debian packages; build.py is where to start."""
