"""Many rows in one go: COPY on PostgreSQL, executemany on SQLite; for the door, which writes 100,000 people.

Django's bulk_create spent four fifths of its time inside Python at that size (docs/decisions/0003).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

Row = Sequence[Any]


def _sqlite_time(value: dt.datetime | None) -> str | None:
    """As Django writes it, which leaves out a fraction of 0: the two are compared as text."""
    return str(value.replace(tzinfo=None)) if value else None


def _sqlite_converter(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    kind = field.get_internal_type()
    if kind in ("UUIDField", "ForeignKey", "OneToOneField"):
        return lambda value: value.hex if value is not None else None
    if kind == "DateTimeField":
        return cache(_sqlite_time)  # a batch bears one or two times
    if kind == "JSONField":
        return lambda value: None if value is None else json.dumps(value, ensure_ascii=False)
    return None


def _postgresql_converter(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    if field.get_internal_type() == "JSONField":
        return lambda value: None if value is None else json.dumps(value, ensure_ascii=False)
    return None


def insert(model: type[models.Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert ``rows`` (values in the order of the field ``names``) into the table of ``model``.

    Must be called inside a transaction; datetimes must be UTC. Defaults of the model are not applied:
    name every column that has no database default.
    """
    if not rows:
        return
    fields = [model._meta.get_field(name) for name in names]
    columns = [field.column for field in fields]  # type: ignore[union-attr]
    if connection.vendor == "postgresql":
        _copy(model._meta.db_table, columns, [_postgresql_converter(f) for f in fields], rows)  # type: ignore[arg-type]
    else:
        _executemany(model._meta.db_table, columns, [_sqlite_converter(f) for f in fields], rows)  # type: ignore[arg-type]


def increase(model: type[models.Model], name: str, steps: Mapping[Any, int]) -> None:
    """Add to a counter of the rows with these ids, each by its own step; a list can name thousands of groups."""
    if not steps:
        return
    quote, column = connection.ops.quote_name, connection.ops.quote_name(name)
    as_stored = model._meta.pk.get_db_prep_value
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(model._meta.db_table)} SET {column} = {column} + %s WHERE id = %s",  # noqa: S608
            [(step, as_stored(key, connection)) for key, step in steps.items()],
        )


def _converted(rows: Iterable[Row], converters: Sequence[Callable[[Any], Any] | None]) -> list[Row]:
    """The rows column by column through their converters: one tight loop per column that needs one."""
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for place, convert in enumerate(converters):
        if convert is not None:
            columns[place] = [convert(value) for value in columns[place]]
    return list(zip(*columns, strict=True))


def _executemany(
    table: str, columns: Sequence[str], converters: Sequence[Callable[[Any], Any] | None], rows: Sequence[Row]
) -> None:
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})",  # noqa: S608 - names come from the models
            _converted(rows, converters),
        )


def _copy(
    table: str, columns: Sequence[str], converters: Sequence[Callable[[Any], Any] | None], rows: Sequence[Row]
) -> None:
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    with connection.cursor() as cursor, cursor.copy(f"COPY {quote(table)} ({names}) FROM STDIN") as copy:
        for row in _converted(rows, converters):
            copy.write_row(row)
