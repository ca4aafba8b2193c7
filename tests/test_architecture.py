"""The picture of the packages in docs/architecture.md, held against the imports, and the rules that import-linter keeps."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
MOST_FILES = 12  # in a folder, its __init__ aside
SOURCES = sorted([*ROOT.glob("zoo/**/*.py"), *ROOT.glob("reports/**/*.py")])


def package_of(module: str) -> str:
    """`zoo.data.cache` -> `zoo/data`, `reports` -> `reports`."""
    return "/".join(module.split(".")[:2])


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("zoo", "reports", exclude_type_checking_imports=True, cache_dir=None)


@pytest.fixture(scope="module")
def arrows(graph) -> dict[str, set[str]]:
    """Package -> the packages that its modules import, at their top or inside a function."""
    found: dict[str, set[str]] = {"run_sweep.py": _imports_of_the_command_line()}
    for module in graph.modules:
        reached = {package_of(other) for other in graph.find_modules_directly_imported_by(module)}
        found.setdefault(package_of(module), set()).update(reached - {package_of(module)})
    return found


def _imports_of_the_command_line() -> set[str]:
    found = set()
    for node in ast.walk(ast.parse((ROOT / "run_sweep.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {package_of(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {package_of(f"{node.module}.{alias.name}") for alias in node.names if node.module == "zoo"}
            found |= {package_of(node.module)} if node.module != "zoo" else set()
    return {name for name in found if name.split("/")[0] in ("zoo", "reports")}


def documented() -> dict[str, set[str]]:
    """Package -> the packages that it imports, from the table in the document."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `((?:zoo|reports|run_sweep)[^`]*)` \|[^|]+\| ([^|]+) \|$", text, re.MULTILINE)
    full = {name.split("/")[-1]: name for name, _ in rows if name.startswith("zoo/")}
    return {
        name: {full.get(word, word) for word in re.split(r",\s*", targets.strip()) if word != "-"}
        for name, targets in rows
    }


def test_the_table_of_packages_is_what_the_imports_say(arrows):
    assert documented() == {name: targets for name, targets in arrows.items() if targets or name != "zoo"}


def test_imports_go_down_only_and_in_no_circle():
    """import-linter, with the contracts in pyproject.toml."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_two_modules_import_each_other_in_a_circle(graph):
    """Inside a package, too, where layers say nothing."""
    reached = {module: graph.find_downstream_modules(module) for module in graph.modules}
    circles = {
        tuple(sorted((module, other)))
        for module in graph.modules
        for other in graph.find_modules_directly_imported_by(module)
        if other in reached[module]
    }
    assert circles == set()


def test_folders_hold_a_dozen_files_at_most_and_say_what_they_are_for():
    for folder in {path.parent for path in SOURCES}:
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= MOST_FILES, f"{folder.relative_to(ROOT)} has {len(files)} files"
        docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert docstring, f"{folder.relative_to(ROOT)}/__init__.py does not say what the package is for"


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
