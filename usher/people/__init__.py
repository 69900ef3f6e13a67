"""Accounts, memberships and groups; their passwords; the one lock on every view."""
