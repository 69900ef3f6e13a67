"""The door: join, move and leave, the only acts that change who belongs."""
