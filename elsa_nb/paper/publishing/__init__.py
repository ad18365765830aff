"""Figures and tables saved and indexed, the HTML report, the blocks of the README, and the runs of the notebooks."""
