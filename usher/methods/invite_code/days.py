"""Days as people plan them and moments as the door compares them, in the organisation's time zone."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.utils.formats import date_format

from usher.organizations.models import Organization

FIRST_YEAR, LAST_YEAR = 2000, 2099  # a day that can be meant, and no sum of days overflows
_DAY = dt.timedelta(days=1)


def zone_of(organization: Organization) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(organization.time_zone)


def begin_of(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The moment a day begins there."""
    return dt.datetime.combine(day, dt.time(), tzinfo=zone).astimezone(dt.UTC)


def end_of(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The moment after a day, which is its own last: ends are exclusive in the database, inclusive in forms."""
    return begin_of(day + _DAY, zone)


def first_day(moment: dt.datetime | None, zone: zoneinfo.ZoneInfo) -> dt.date | None:
    return moment.astimezone(zone).date() if moment else None


def last_day(moment: dt.datetime | None, zone: zoneinfo.ZoneInfo) -> dt.date | None:
    """The day on which an exclusive end falls: of midnight, the day before."""
    return (moment - dt.timedelta.resolution).astimezone(zone).date() if moment else None


def is_midnight(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> bool:
    """Whether a whole day begins or has ended, rather than a lesson."""
    return begin_of(moment.astimezone(zone).date(), zone) == moment


def day_text(day: dt.date) -> str:
    return date_format(day, "j M Y")


def start_text(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """“18 Dec 2026”, with the hour where it is not midnight."""
    return date_format(moment.astimezone(zone), "j M Y" if is_midnight(moment, zone) else "j M Y H:i")


def end_text(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """The last day of an end, or the very minute where it is in the middle of a day."""
    day = last_day(moment, zone)
    return day_text(day) if day and is_midnight(moment, zone) else start_text(moment, zone)


def clock_text(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """“10:42”: for ends of today."""
    return date_format(moment.astimezone(zone), "H:i")


def short_text(day: dt.date) -> str:
    """“8 Nov”: for the ends of a curve."""
    return date_format(day, "j M")
