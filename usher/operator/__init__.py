"""Face: the pages of those who run the server for all organisations."""
