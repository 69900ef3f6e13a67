"""Face: the pages of a person who signs in."""
