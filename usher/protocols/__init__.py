"""Wire formats, named after their specifications. Nothing here knows Django or Usher, nothing asks the network."""
