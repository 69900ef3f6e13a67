"""The addresses by which staff make codes and open doors, below an organisation."""

from __future__ import annotations

from django.urls import path

from usher.methods.invite_code import door_views, views

_CODES = "o/<slug:slug>/settings/codes"
_GROUP = "o/<slug:slug>/groups/<uuid:group_id>"
_DOOR = f"{_GROUP}/door"

staff = [
    path(_CODES, views.codes, name="codes"),
    path(f"{_CODES}/new", views.new, name="new"),
    path(f"{_CODES}/new/preview", views.new_preview, name="new_preview"),
    path(f"{_CODES}/<uuid:code_id>", views.code, name="code"),
    path(f"{_CODES}/<uuid:code_id>/preview", views.preview, name="preview"),
    path(f"{_CODES}/<uuid:code_id>/pause", views.pause, name="pause"),
    path(f"{_CODES}/<uuid:code_id>/resume", views.resume, name="resume"),
    path(f"{_CODES}/<uuid:code_id>/rotate", views.rotate, name="rotate"),
    path(f"{_CODES}/<uuid:code_id>/poster", views.poster, name="poster"),
    path(f"{_CODES}/<uuid:code_id>/people", views.people, name="people"),
    path(f"{_CODES}/<uuid:code_id>/people.csv", views.export, name="export"),
    path(_DOOR, door_views.door, name="door"),
    path(f"{_DOOR}/now", door_views.now, name="now"),
    path(f"{_DOOR}/open", door_views.open_door, name="open_door"),
    path(f"{_DOOR}/more", door_views.keep_open, name="keep_open"),
    path(f"{_DOOR}/close", door_views.close_door, name="close_door"),
    path(f"{_DOOR}/asks/<uuid:member_id>/let-in", door_views.let_in, name="let_in"),
    path(f"{_DOOR}/asks/<uuid:member_id>/refuse", door_views.refuse, name="refuse"),
    path(f"{_DOOR}/options", door_views.options, name="door_options"),
    path(f"{_DOOR}/preview", door_views.preview, name="door_preview"),
    path(f"{_DOOR}/pause", door_views.pause, name="door_pause"),
    path(f"{_DOOR}/resume", door_views.resume, name="door_resume"),
    path(f"{_DOOR}/rotate", door_views.rotate, name="door_rotate"),
    path(f"{_DOOR}/people", door_views.people, name="door_people"),
    path(f"{_DOOR}/people.csv", door_views.export, name="door_export"),
    path(f"{_GROUP}/wall", door_views.wall, name="wall"),
    path(f"{_GROUP}/poster", door_views.poster, name="door_poster"),
]
