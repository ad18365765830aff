"""What a user would pick instead of ELSA: one strategy a file, each under the contract of `elsa_nb.search.contract`."""
