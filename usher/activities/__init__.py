"""Activities: what an organisation gives its people to do, and how well they did it."""
