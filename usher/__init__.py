"""Usher: every way to bring people into an organisation, behind one door."""
