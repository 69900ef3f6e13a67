"""EvilLMS: a learning management system as LTI 1.3 tools meet it, honest by default and with one switch per fault.

On PyJWT, so that the library which verifies in Usher is not the one that signs here.
"""
