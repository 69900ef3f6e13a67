"""Face: the usher command. Each module here holds one command or one group; this is the list of them."""

from __future__ import annotations

import click

from usher.cli import (
    activity,
    api_key,
    backup,
    check,
    code,
    connection,
    create_accounts,
    demo,
    domain,
    grades,
    import_file,
    invite,
    jobs,
    members,
    migrate,
    operators,
    org,
    platform,
    registration,
    roster,
    serve,
    undo,
    why,
    worker,
)
from usher.cli.base import group


@group(epilog="Settings come from the environment: see docs/settings.md.")
@click.version_option(package_name="usher")
def main() -> None:
    """Usher seats people in organisations."""


COMMANDS: tuple[click.Command, ...] = (
    demo.demo,
    serve.serve,
    worker.worker,
    migrate.migrate,
    backup.backup,
    backup.restore,
    jobs.jobs,
    check.check,
    operators.operator,
    org.org,
    registration.registration,
    import_file.import_file,
    create_accounts.create_accounts,
    code.code,
    invite.invite,
    domain.domain,
    connection.connection,
    activity.activity,
    api_key.api_key,
    grades.grades,
    platform.platform,
    roster.roster,
    undo.imports,
    undo.undo,
    members.members,
    why.why,
)

for one in COMMANDS:
    main.add_command(one)
