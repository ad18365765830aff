"""Train encoders without labels; command.py is where to start, recipes.py what it runs."""
