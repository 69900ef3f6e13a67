"""What the web server runs, with every page loaded: workers are forked from it and answer at once."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "usher.settings")
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 - the views are imported here, not by the first visitor
