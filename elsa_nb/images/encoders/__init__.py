"""What turns images into vectors: published networks, models of timm and torchvision, encoders trained here, baselines.

`protocol.py` says what an encoder is. Start with `by_name.py`, which finds one by its name, for the extraction; each
kind of encoder is one module beside it.
"""
