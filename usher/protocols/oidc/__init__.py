"""OpenID Connect, the side that relies on a provider: what to ask, and what to believe of the answer. No I/O."""
