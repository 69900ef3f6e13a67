"""usher jobs: the work behind the pages, what of it was given up, and once more with that."""

from __future__ import annotations

import uuid
from dataclasses import asdict

import click

from usher.cli.base import REFUSED_ROWS, Command, Group, InputError, example
from usher.cli.output import document, json_option, list_document, note, table
from usher.core import jobs as book
from usher.events.types import OPERATOR
from usher.people import server


class _Jobs(Group, Command):
    """A group that says something by itself: ``usher jobs``."""


@click.group(cls=_Jobs, invoke_without_command=True, epilog=example("usher jobs --dead"))
@click.option("--dead", is_flag=True, help="Each job that was given up, with its reason.")
@json_option
@click.pass_context
def jobs(context: click.Context, dead: bool, as_json: bool) -> None:
    """The work behind the pages: mail and whatever else is done after the answer."""
    if context.invoked_subcommand:
        return
    if dead:
        _list_dead(as_json)
    else:
        _list_kinds(as_json)


def _list_kinds(as_json: bool) -> None:
    found = [asdict(tally) for tally in book.tallies()]
    if as_json:
        document(found)
        return
    table(["kind", "due", "waiting", "in hand", "dead"], [[str(cell) for cell in row.values()] for row in found])


def _list_dead(as_json: bool) -> None:
    found = book.dead()
    if as_json:
        list_document(one.as_json() for one in found)
        return
    table(
        ["id", "kind", "since", "tries", "reason"],
        [
            [str(one.id), f"{one.kind} {one.what}".strip(), f"{one.since:%Y-%m-%d %H:%M}", str(one.tries), one.reason]
            for one in found
        ],
    )


@jobs.command(epilog=example("usher jobs retry --all"))
@click.argument("ids", nargs=-1, metavar="ID…", type=click.UUID)
@click.option("--all", "everything", is_flag=True, help="Every job that was given up.")
def retry(ids: tuple[uuid.UUID, ...], everything: bool) -> None:
    """Try again what was given up, by its ids (usher jobs --dead)."""
    if bool(ids) == everything:
        raise InputError("Say which jobs to try again: their ids, or --all.")
    _tell(server.retry_jobs(OPERATOR, None if everything else ids), len(ids), "will be tried again")


@jobs.command(epilog=example("usher jobs drop 01937c2e-5f00-7cc3-98c4-dc0c0c07398f"))
@click.argument("ids", nargs=-1, required=True, metavar="ID…", type=click.UUID)
def drop(ids: tuple[uuid.UUID, ...]) -> None:
    """Throw away what was given up, by its ids. It is never done."""
    _tell(server.drop_jobs(OPERATOR, ids), len(ids), "thrown away")


def _tell(done: int, asked: int, what: str) -> None:
    note(f"{done} {what}.")
    if done < asked:
        note(f"{asked - done} not found among what was given up: see usher jobs --dead")
        click.get_current_context().exit(REFUSED_ROWS)


@jobs.command(epilog=example("usher jobs resume"))
def resume() -> None:
    """Let out again what waits since a restore. Look first whether it should still be sent."""
    resumed = server.resume_outbox(OPERATOR)
    note("What waited is on its way." if resumed else "Nothing was paused.")
