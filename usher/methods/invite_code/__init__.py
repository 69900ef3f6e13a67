"""Way in: an invite code, typed, opened as a link, or scanned."""
