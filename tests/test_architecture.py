"""The picture of the rooms in docs/architecture.md, held against the imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted([*ROOT.glob("zoo/**/*.py"), *ROOT.glob("reports/**/*.py"), ROOT / "run_sweep.py"])


def room_of(module: str) -> str:
    """`zoo.data.cache` -> `data`, `reports.tables` -> `reports`."""
    parts = module.split(".")
    return parts[1] if parts[0] == "zoo" and len(parts) > 1 else parts[0]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """The modules of this project that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" if node.module == "zoo" else node.module for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("zoo", "reports", "run_sweep", "tests")}


def table() -> dict[str, set[str]]:
    """Room -> the rooms that it may import, from the document."""
    rows = re.findall(
        r"^\| (`[^|]+`) \|[^|]+\| ([^|]+) \|$",
        (ROOT / "docs/architecture.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    allowed = {}
    for rooms, targets in rows:
        for room in re.findall(r"`([^`]+)`", rooms):
            name = room_of(room.removesuffix(".py").replace("/", "."))
            allowed[name] = {target.strip() for target in targets.split(",")} - {"-"}
    return allowed


ALLOWED = table()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_room_may(path):
    room = room_of(module_of(path))
    if module_of(path) == "zoo":
        assert not imports(path)
        return
    assert room in ALLOWED, f"docs/architecture.md has no row for {room}"
    reached = {room_of(module) for module in imports(path)} - {room}
    assert reached <= ALLOWED[room], f"{path.name} reaches into {sorted(reached - ALLOWED[room])}"


def test_every_arrow_in_the_picture_is_used():
    used: dict[str, set[str]] = {}
    for path in FILES:
        used.setdefault(room_of(module_of(path)), set()).update(room_of(module) for module in imports(path))
    unused = {room: sorted(targets - used.get(room, set())) for room, targets in ALLOWED.items()}
    assert {room: targets for room, targets in unused.items() if targets} == {}


@pytest.mark.parametrize(
    "command", ["import zoo.config", "import run_sweep", "import zoo.plan, zoo.execution.scheduler", "import reports"]
)
def test_what_needs_no_tensorflow_does_not_import_it(command):
    code = (
        f"import sys; {command}; print([m for m in ('tensorflow', 'tf_keras', 'mlflow', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_imports_tensorflow_in_the_reports():
    for path in ROOT.glob("reports/**/*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) (tensorflow|tf_keras|keras)\b", text, re.MULTILINE), path
        assert "import_module" not in text and "__import__" not in text, path
