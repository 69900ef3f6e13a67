"""The addresses of the admins' pages."""

from __future__ import annotations

from django.urls import URLPattern

staff: list[URLPattern] = []
