"""What `elsa-nb train` does, under the name that the cards of the bundled encoders give: a module to run."""

from elsa_nb.images.training.command import main

if __name__ == "__main__":
    main()
