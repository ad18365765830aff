"""`python -m elsa_nb.images.training`: what `elsa-nb train` does, by the name in the cards of the bundled encoders."""

from elsa_nb.images.training.command import main

if __name__ == "__main__":
    main()
