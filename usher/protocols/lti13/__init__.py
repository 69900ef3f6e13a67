"""LTI 1.3 and LTI Advantage, the side of the tool: what to ask of a platform, and what to believe of it. No I/O."""
