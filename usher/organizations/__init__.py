"""The tenant: organisations, their licences and the plans as data."""
