"""What the code promises about its own shape: floors, one door, short functions, queries on their floor."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
USHER = ROOT / "usher"
LONGEST_FUNCTION = 50
LONGEST_FILE = 400
LISTS = {"usher/core/reasons.py", "usher/lifecycle/wordings.py"}  # one list each, no logic: as long as it must be
SKIPPED = {"migrations", "static", "staticfiles", "__pycache__"}


def modules() -> dict[str, ast.Module]:
    """Every module of the product by its path below the repository."""
    files = (path for path in sorted(USHER.rglob("*.py")) if not SKIPPED & set(path.parts))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in files}


MODULES = modules()
# Where requests are answered: whole faces, and of a room its views and forms.
FACING = [
    name
    for name in MODULES
    if name.startswith(("usher/console/", "usher/operator/", "usher/signin/"))
    or name.endswith(("views.py", "/forms.py", "_forms.py"))
]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def names_in(node: ast.AST) -> list[str]:
    """The names of a chain like ``Membership.objects.filter(...).update``, from the left."""
    chain: list[str] = []
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            chain.append(node.attr)
            node = node.value
        else:
            return [*([node.id] if isinstance(node, ast.Name) else []), *reversed(chain)]


# Floors


def test_imports_go_down_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


# One door

MAKING = {"create", "bulk_create", "get_or_create", "update_or_create", "acreate", "abulk_create"}
KEPT_BY_THE_DOOR = {"Membership": {"state", "role"}, "SeatPool": {"used"}, "Group": {"used"}}


def makes_members(tree: ast.Module) -> list[int]:
    """Lines that make a membership, or change what only the door may change."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and _belongs_to_the_door(node)]


def _belongs_to_the_door(call: ast.Call) -> bool:
    chain = names_in(call)
    written = names_in(call.args[0]) if call.args else []
    changed = {keyword.arg for keyword in call.keywords}
    return (
        chain in (["Membership"], ["models", "Membership"])
        or (bool(MAKING & set(chain[-1:])) and bool({"Membership", "memberships"} & set(chain)))
        or (chain[-2:] == ["bulk", "insert"] and written == ["Membership"])
        or (chain[-1:] == ["update"] and any(changed & KEPT_BY_THE_DOOR.get(name, set()) for name in chain))
    )


def test_only_the_door_makes_members() -> None:
    others = {name: tree for name, tree in MODULES.items() if not name.startswith("usher/lifecycle/")}
    assert {name: lines for name, tree in others.items() if (lines := makes_members(tree))} == {}


@pytest.mark.parametrize(
    "code",
    [
        "Membership.objects.create(role='admin')",
        "Membership(account=ada).save()",
        "organization.memberships.get_or_create(account=ada)",
        "bulk.insert(Membership, columns, rows)",
        "Membership.objects.filter(id=1).update(state='active')",
        "SeatPool.objects.filter(id=1).update(used=0)",
    ],
)
def test_the_search_finds_what_it_looks_for(code: str) -> None:
    assert makes_members(ast.parse(code)) == [1]


def test_the_door_itself_is_found() -> None:
    assert makes_members(MODULES["usher/lifecycle/pen.py"])


# Queries


def queries(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager", "_base_manager"):
            yield f"{node.lineno}: .{node.attr}"
        if isinstance(node, ast.ImportFrom) and node.module == "django.db":
            taken = {alias.name for alias in node.names} & {"connection", "connections"}
            yield from (f"{node.lineno}: {name}" for name in taken)
        if isinstance(node, ast.Call) and names_in(node)[-1:] in (["get_object_or_404"], ["get_list_or_404"], ["raw"]):
            yield f"{node.lineno}: {names_in(node)[-1]}"


@pytest.mark.parametrize("name", FACING)
def test_no_query_in_views_and_forms(name: str) -> None:
    assert list(queries(MODULES[name])) == [], "write a function of a lower floor that starts from an organisation"


# Shape


def test_functions_are_short() -> None:
    long = {
        f"{name}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for name, tree in MODULES.items()
        for node in functions(tree)
        if node.end_lineno and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    }
    assert long == {}


def test_files_are_short() -> None:
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in MODULES if name not in LISTS}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_import_inside_a_function() -> None:
    inside = [
        f"{name}:{node.lineno}"
        for name, tree in MODULES.items()
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_every_module_says_what_is_in_it() -> None:
    assert [name for name, tree in MODULES.items() if not ast.get_docstring(tree)] == []


def test_only_the_clock_tells_the_time() -> None:
    asking = [
        f"{name}:{node.lineno}"
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and names_in(node)[-2:] in (["datetime", "now"], ["timezone", "now"], ["date", "today"])
    ]
    assert asking == [next(name for name in asking if name.startswith("usher/core/clock.py"))]


@pytest.mark.django_db
def test_every_model_has_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
