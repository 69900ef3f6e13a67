"""usher serve: the web server and the worker together; when one goes, both go."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType

import click
from django.db import connections
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from usher.cli.base import InputError, command, example
from usher.config import Config, config
from usher.core import metrics, worker

BLOCKING_THREADS = 4  # a web process; measured best for pages that wait for a database
# How long a connection may be idle, or take for the head of a request; while stopping we wait for it.
HEADER_MS = 10_000
GRACE = 20.0  # seconds for what is under way to end, when we are told to stop
PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignalError(Exception):
    """Raised by the signal handler to leave the wait."""


@command(epilog=example("usher serve --listen 127.0.0.1:8080"))
@click.option("--listen", metavar="HOST:PORT", help="Where to listen instead of USHER_LISTEN.")
def serve(listen: str | None) -> None:
    """Run the web server and the worker until stopped."""
    if listen and listen != config().listen:
        # Read and checked again as a whole: the address may not fit the other settings.
        os.environ["USHER_LISTEN"] = listen
        config.cache_clear()
    run(config())


def run(given: Config) -> None:
    """Serve until a signal or until one of the two ends; the exit code tells which."""
    refuse_taken_port(given.listen_host, given.listen_port)
    metrics.share(given.data_dir.absolute() / "metrics")
    importlib.import_module("usher.wsgi")  # once, before the fork, and not for every command
    click.echo(f"Usher listens on {given.address} (stop with Ctrl+C)", err=True)
    raise SystemExit(_together([partial(_web, given), _worker]))


def refuse_taken_port(host: str, port: int) -> None:
    """The web server would share a taken port in silence (SO_REUSEPORT); a plain bind does not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"Usher cannot listen on {host}:{port} ({error.strerror}). Stop what listens there, "
                "or choose another with: usher serve --listen HOST:PORT"
            ) from None


def _web(given: Config) -> None:
    """The web server, in this very process: what is imported already is shared by all of its workers."""
    _on_its_own()
    Granian(
        "usher.wsgi:application",
        address=_ip(given.listen_host),
        port=given.listen_port,
        interface=Interfaces.WSGI,
        workers=given.web_processes,
        blocking_threads=BLOCKING_THREADS,
        respawn_failed_workers=True,
        respawn_interval=1,
        workers_kill_timeout=int(GRACE) - 5,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MS),
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


def _ip(host: str) -> str:
    """The web server takes no names, not even localhost. One that leads nowhere was refused with the port."""
    return host if ":" in host else socket.gethostbyname(host)


def _worker() -> None:
    _on_its_own()
    worker.run_forever()


def _on_its_own() -> None:
    """In the child: Ctrl+C reaches only the parent, which stops us; if it is killed, so are we."""
    os.setsid()
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _raise_stop(_number: int, _frame: FrameType | None) -> None:
    raise StopSignalError


def _together(parts: Sequence[Callable[[], None]]) -> int:
    """Run each in a process of its own. A fork shares what is imported already."""
    connections.close_all()  # a connection must not be shared by two processes
    for number in STOP_SIGNALS:
        signal.signal(number, _raise_stop)
    children: set[int] = set()
    try:
        # A child must not meet a signal before it has put off our handler.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        children |= {_fork(part) for part in parts}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    except StopSignalError:
        return 0
    finally:
        _stop(children)
    click.echo("A part of Usher ended by itself, so all of it stopped.", err=True)
    return 1


def _fork(part: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        part()
        os._exit(0)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(1)  # never back into the parent's code


def _stop(children: set[int]) -> None:
    """Ask each to end, wait, then end what is left of its process group: a killed web server leaves its workers."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for child in children:
        os.kill(child, signal.SIGTERM)
    alive, begun, asked = set(children), time.monotonic(), 1
    while alive and time.monotonic() - begun < GRACE:
        alive -= {child for child in alive if os.waitpid(child, os.WNOHANG)[0]}
        if time.monotonic() - begun > asked:
            # A process of the web server that had only just begun did not hear it: its parent's handler was still its.
            _signal_groups(alive, signal.SIGTERM)
            asked += 1
        time.sleep(0.02)
    _signal_groups(children, signal.SIGKILL)


def _signal_groups(leaders: set[int], number: signal.Signals) -> None:
    for leader in leaders:
        with suppress(ProcessLookupError):
            os.killpg(leader, number)
