"""What happened: the audit trail and the outbox, one append-only table with one writer."""
