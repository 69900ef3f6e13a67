"""Way in: a list of people in a CSV or xlsx file."""
