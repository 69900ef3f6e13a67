"""Way in: accounts made in advance, for people without e-mail."""
