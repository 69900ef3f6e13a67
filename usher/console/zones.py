"""Time zones as people look for them: by region, the place first, with how far it is from Greenwich today."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from usher.core import clock
from usher.organizations.settings import all_time_zones, time_zones

Choice = tuple[str, str]


def zone_choices(now: str = "") -> list[Choice | tuple[str, list[Choice]]]:
    """For a drop-down list: UTC, then the places of each region. One that is used but not offered comes first."""
    moment = clock.now()
    groups = [(region, sorted(_choice(name, moment) for name in names)) for region, names in time_zones()]
    plain = groups[0][1]
    named = [(region, [(name, label) for label, name in places]) for region, places in groups[1:]]
    offered = {name for _region, names in time_zones() for name in names}
    old = [(now, now)] if now in all_time_zones() - offered else []
    return [*old, *((name, label) for label, name in plain), *named]


def _choice(name: str, moment: dt.datetime) -> Choice:
    """Label first, by which the places are sorted: “Buenos Aires (UTC−03:00)”."""
    place = name.partition("/")[2]
    if not place:
        return name, name
    shown = ", ".join(reversed(place.replace("_", " ").split("/")))
    offset = moment.astimezone(zoneinfo.ZoneInfo(name)).strftime("%z")
    return f"{shown} (UTC{offset[:3]}:{offset[3:5]})", name
