"""Where the numbers come from: each run's page in MLflow, machines, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.store import files, typed
from reports.store.sweep import Sweep
from zoo.tracking.address import is_of_this_machine, without_user
from zoo.tracking.names import Artifacts

PACKAGES = ("tensorflow", "tf-keras", "numpy", "mlflow")  # of the environment, as far as a reader asks


def links(sweep: Sweep) -> dict[str, str]:
    """Run id -> its page on MLflow's server; none of what opens on this machine alone, since reports are sent."""
    if not sweep.uri.startswith(("http://", "https://")) or is_of_this_machine(sweep.uri):
        return {}
    server = without_user(sweep.uri).rstrip("/")
    return {run_id: f"{server}/#/experiments/{sweep.experiment_id}/runs/{run_id}" for run_id in sweep.runs["run_id"]}


def provenance(sweep: Sweep) -> dict[str, str]:
    """Machines and versions: of one run for each device and commit."""
    results = sweep.results().drop_duplicates(["device", "git_commit"])
    recorded: dict[str, dict[str, None]] = {"machine": {}, "versions": {}}
    for run_id in results["run_id"]:
        content = typed.loaded_object(files.read_file(sweep, run_id, Artifacts.ENVIRONMENT) or b"{}")
        if content is not None:  # else it is cut off, or another program's
            recorded["machine"][_machine(content)] = None
            recorded["versions"][_versions(content)] = None
    facts = {name: "; ".join(filter(None, values)) for name, values in recorded.items()}
    return {name: text for name, text in facts.items() if text}


def _machine(content: Mapping[str, Any]) -> str:
    cores = f"{content['cores']} cores" if content.get("cores") else ""
    return ", ".join(str(part) for part in (content.get("cpu"), cores, content.get("system")) if part)


def _versions(content: Mapping[str, Any]) -> str:
    packages = content.get("packages")
    packages = packages if isinstance(packages, dict) else {}
    named = {"Python": content.get("python")} | {name: packages.get(name) for name in PACKAGES}
    return ", ".join(f"{name} {version}" for name, version in named.items() if version)
