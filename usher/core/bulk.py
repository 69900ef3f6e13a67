"""Many rows in one go: COPY on PostgreSQL, executemany on SQLite; for the door, which writes 100,000 people.

Django's bulk_create spent four fifths of its time inside Python at that size (docs/decisions/0003).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, models

Row = Sequence[Any]


Column = list[Any]
Converter = Callable[[Column], Column]  # a whole column at once: one tight loop, no call for each value

_encode = json.JSONEncoder(ensure_ascii=False).encode


def _hexes(values: Column) -> Column:
    return [value.hex if value is not None else None for value in values]


def _documents(values: Column) -> Column:
    return [_encode(value) if value is not None else None for value in values]


def _times(values: Column) -> Column:
    """As Django writes them, which leaves out a fraction of 0: they are compared as text."""
    written: dict[dt.datetime | None, str | None] = {
        value: str(value.replace(tzinfo=None)) if value else None for value in set(values)
    }
    return [written[value] for value in values]


SQLITE: Mapping[str, Converter] = {
    "UUIDField": _hexes,
    "ForeignKey": _hexes,
    "OneToOneField": _hexes,
    "DateTimeField": _times,
    "JSONField": _documents,
}
POSTGRESQL: Mapping[str, Converter] = {"JSONField": _documents}


def insert(model: type[models.Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert ``rows`` (values in the order of the field ``names``) into the table of ``model``.

    Must be called inside a transaction; datetimes must be UTC. Defaults of the model are not applied:
    name every column that has no database default.
    """
    if not rows:
        return
    fields = [model._meta.get_field(name) for name in names]
    columns = [str(field.column) for field in fields]  # type: ignore[union-attr]
    write, kinds = (_copy, POSTGRESQL) if connection.vendor == "postgresql" else (_executemany, SQLITE)
    converters = [kinds.get(field.get_internal_type()) for field in fields]
    write(model._meta.db_table, columns, _converted(rows, converters))


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


def delete(model: type[models.Model], ids: Sequence[Any]) -> None:
    """Delete the rows with these ids, and before them what hangs on them; nothing is loaded, as Django's own would.

    A row that may not go while they are there (PROTECT) makes the database refuse, when the transaction ends.
    """
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel) and relation.on_delete is models.CASCADE:
            relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": ids}).delete()
    model._base_manager.filter(pk__in=ids)._raw_delete(DEFAULT_DB_ALIAS)  # noqa: SLF001 - past the collector


def _converted(rows: Iterable[Row], converters: Sequence[Converter | None]) -> list[Row]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    converted = [convert(column) if convert else column for convert, column in zip(converters, columns, strict=True)]
    return list(zip(*converted, strict=True))


def _executemany(table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})",  # noqa: S608 - names come from the models
            rows,
        )


def _copy(table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    with connection.cursor() as cursor, cursor.copy(f"COPY {quote(table)} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
