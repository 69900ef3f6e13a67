"""A face: the REST API for applications, with keys of an organisation."""
