"""Ground floor: what every room stands on; no word of the domain but the list of reasons."""
