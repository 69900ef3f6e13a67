"""usher backup and usher restore: the database in one file, and back. The keys go apart."""

from __future__ import annotations

from pathlib import Path

import click
from django.conf import settings

from usher.cli.base import command, example
from usher.cli.check import BROKEN, tell
from usher.cli.output import note
from usher.config import config
from usher.core import backup as backups
from usher.core import checks
from usher.core.archive import Manifest, write_keys

FILE = click.Path(dir_okay=False, path_type=Path)


@command("backup", prepares=False, epilog=example("usher backup /backups/usher-2026-11-22.zip"))
@click.argument("file", type=FILE, required=False)
@click.option("--keys", type=FILE, help="Write the keys to this file; keep it away from the backup.")
def backup(file: Path | None, keys: Path | None) -> None:
    """Write the database to FILE, while Usher runs. The keys are not in it.

    An existing file is refused.
    """
    if file is None and keys is None:
        raise click.UsageError("Name the file to write, for example: usher backup usher.zip")
    if file:
        _say(file, backups.make(file))
    if keys:
        write_keys(keys, {"USHER_SECRET_KEY": settings.SECRET_KEY, "USHER_PEPPER": ",".join(settings.USHER_PEPPER)})
        note(f"The keys are in {keys}. Who has them and a backup can read both: keep them in different places.")
    else:
        note(f"The keys are not in it, and without them no password works: {_where_the_keys_are()}.")


def _say(file: Path, manifest: Manifest) -> None:
    size = file.stat().st_size / 1_000_000
    note(f"Wrote {file}: {sum(manifest.rows.values()):,} rows, {size:,.1f} MB, as of {manifest.made_at}.")


def _where_the_keys_are() -> str:
    if config().embedded:
        return f"save {config().keys_dir} apart, or write them with: usher backup --keys FILE"
    return "save USHER_SECRET_KEY and USHER_PEPPER apart, or write them with: usher backup --keys FILE"


@command("restore", prepares=False, epilog=example("usher restore /backups/usher-2026-11-22.zip --replace"))
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="Into a database that has data in it: they are lost.")
@click.option("--without-passwords", is_flag=True, help="Though the pepper of the backup is lost.")
def restore(file: Path, *, replace: bool, without_passwords: bool) -> None:
    """Put the backup in FILE in the place of the database. Usher must be stopped.

    All of it or nothing. Everybody has to sign in again, unused links are void, and nothing is sent until you say
    `usher jobs resume`. Ends like `usher check`.
    """
    manifest, said = backups.restore(file, replace=replace, without_passwords=without_passwords)
    for sentence in said:
        note(f"Note: {sentence}")
    note(f"Restored {sum(manifest.rows.values()):,} rows as of {manifest.made_at}.")
    note("Everybody has to sign in again, and links that were not used are void.")
    note("Nothing is sent from here until you say: usher jobs resume")
    found = checks.run(checks.everything())
    tell(found)
    if not found.ok:
        click.get_current_context().exit(BROKEN)
