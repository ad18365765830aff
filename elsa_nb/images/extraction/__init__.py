"""From images and encoders to pools of vectors.

Start with `embed.py`, which `elsa-nb embed`, `elsa-nb label` and the notebooks call. It calls `extract.py` (pools on
disk, resumed where they stopped), which calls `forward.py` (one pass of the networks), which reads `crops.py`.
"""
