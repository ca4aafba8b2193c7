"""A page with everything in it, and a store: a sweep of two variants, one without results, one that is no sweep."""

from __future__ import annotations

import pytest
from helpers import pages
from helpers.stores import ODD, Writer, costs, curve


@pytest.fixture(scope="session")
def pair_store(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("store")
    address = f"sqlite:///{folder / 'mlflow.db'}"
    writer = Writer(address, folder)
    pair = writer.sweep("pair", ["on", ODD], [0, 1])
    for index, (variant, finals) in enumerate({"on": (0.80, 0.82), ODD: (0.70, 0.74)}.items()):
        for seed, final in enumerate(finals):
            once = costs(1000 - 100 * index, 100 / (1 + index), 0.8 / (1 + index)) | {"size/onnx_bytes": 5e6}
            writer.run(pair, variant, seed, curve(final), once=once)
    writer.sweep("empty", ["x", "y"], [0], command="python run_sweep.py experiments/empty.yaml")
    writer.client.create_experiment("bare", artifact_location=(folder / "bare").as_uri())
    return address


@pytest.fixture(scope="session")
def full() -> str:
    from reports.html import page

    sweep, frame = pages.several()
    return page.render(sweep, frame, pictures=pages.pictures(sweep, frame), details=pages.details(sweep, frame))
