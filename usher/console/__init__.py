"""Face: the pages of those who run an organisation."""
