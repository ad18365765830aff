"""From images and encoders to pools of vectors; embed.py is where to start."""
