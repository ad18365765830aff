"""`python -m elsa_nb` is the command `elsa-nb`, where the scripts of an environment are not on the path."""

import sys

from elsa_nb.cli import main

if __name__ == "__main__":
    sys.exit(main())
