"""Way in: an invitation by e-mail, whose link proves the mailbox, or a copied link, which proves nothing."""
