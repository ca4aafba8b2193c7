"""Sweeps made by hand, for the tests of the report's page."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from reports.analysis import variants
from reports.analysis.details import Details, Headline
from reports.figures import rendering
from reports.figures.learning_curves import learning_curves
from reports.figures.trade_off.figure import accuracy_vs_size
from reports.store.runs import frame as runs_frame
from reports.store.sweep import Sweep
from zoo.measure import metrics

CLASSES = ("cat", "dog", "<ship>")
NAMES = ("off", "</script><b>bold</b>", "x" * 200, "width=2", "width=0.5", "ema=false", "lr=-3", "never run")
FINALS = {  # points of test accuracy, one a seed
    NAMES[0]: (80.1, 80.2, 80.15),
    NAMES[1]: (85.0, 85.3, 85.1),
    NAMES[2]: (70.0, 70.1, 70.3),
    NAMES[3]: (80.2, 80.25, 80.15),
    NAMES[4]: (60.0, 60.3, np.nan),
    NAMES[5]: (79.0, 82.0, 80.0),
    NAMES[6]: (81.5,),
    NAMES[7]: (),
}


def sweep(name: str, finals: dict[str, tuple], seeds: int, question: str = "Does it matter?") -> Sweep:
    """One run for each final accuracy, in points, the first variant being the baseline; a nan is a run that failed."""
    rows, points = [], []
    for index, (variant, values) in enumerate(finals.items()):
        for seed, final in enumerate(values):
            run_id, done = f"{index:016x}{seed:016x}", np.isfinite(final)
            rows.append(
                dict.fromkeys(runs_frame([], ()), "")
                | {"sweep": name, "variant": variant, "seed": seed, "status": "FINISHED" if done else "FAILED"}
                | {
                    "status_detail": "" if done else "loss is nan at step 173",
                    "run_id": run_id,
                    "run_key": run_id[::-1],
                }
                | {"accuracy_percent": final, "accuracy_raw_percent": final - 1, "accuracy_ema_percent": final}
                | {"top5_percent": np.nan, "params": 1000 * (1 + index), "macs": 5000 * (1 + index), "ops": 10_000}
                | {"train_s": 100.0 / (1 + index) + seed, "latency_tf_p50_ms": 0.5 + index / 10}
                | {"train_others_busy": np.nan, "latency_others_busy": np.nan}
                | {"latency_tf_p90_ms": 1.0 + index / 10, "latency_tf_p99_ms": np.nan}
                | {"git_commit": "abcdef0123456789", "git_dirty": "false", "data_sha256": "feed" * 16, "device": "CPU"}
            )
            for step, fraction in ((100, 0.5), (200, 0.9), (300, 1.0)) if done else ():
                points.append((run_id, "test/accuracy_ema", step, fraction * final / 100))
                points.append((run_id, "test/accuracy_raw", step, fraction * final / 100 - 0.01))
                points.append((run_id, "train/loss", step, 3 - 2 * fraction))
    counts = {metric.name: "Int64" for metric in metrics.of_kind(metrics.Kind.COUNT)}
    runs = pd.DataFrame(rows).astype(counts) if rows else runs_frame([], ())
    return Sweep(
        name=name,
        question=question,
        baseline=next(iter(finals)),
        margin=0.5,
        variants=tuple(finals),
        seeds=tuple(range(seeds)),
        command=None,
        runs=runs,
        histories=pd.DataFrame(points, columns=["run_id", "metric", "step", "value"]),
    )


def _with_frame(made: Sweep) -> tuple[Sweep, pd.DataFrame]:
    return made, variants.frame(made)


def pair() -> tuple[Sweep, pd.DataFrame]:
    """Two variants, 10 points apart; curves are left out, so that nothing but the accuracies is known of their course."""
    made = sweep("pair", {"off": (80.0, 81.0, 82.0), "on": (90.0, 91.0, 92.0)}, 3)
    made.runs[["accuracy_raw_percent", "accuracy_ema_percent"]] = np.nan
    return _with_frame(made)


def several() -> tuple[Sweep, pd.DataFrame]:
    """Every verdict, names that must be escaped or shortened, a failed run and a variant that never ran."""
    return _with_frame(sweep("several", FINALS, 3, "Does any of these <i>really</i> matter?"))


def many(variants: int, seeds: int) -> tuple[Sweep, pd.DataFrame]:
    rng = np.random.default_rng(0)
    finals = {f"width={index}": tuple(80 + index / 5 + rng.normal(0, 0.3, seeds)) for index in range(variants)}
    return _with_frame(sweep("many", finals, seeds))


def empty() -> tuple[Sweep, pd.DataFrame]:
    return _with_frame(sweep("empty", {"off": (), "on": ()}, 2))


def without_baseline() -> tuple[Sweep, pd.DataFrame]:
    return _with_frame(sweep("without_baseline", {"off": (), "on": (80.0, 81.0)}, 2))


def pictures(made: Sweep, frame: pd.DataFrame) -> dict[str, str]:
    figures = {f"accuracy_vs_size/{axis}": accuracy_vs_size(frame, axis) for axis in ("params", "latency")}
    figures["learning_curves"] = learning_curves(made)
    return {name: rendering.svg(figure, name) for name, figure in figures.items()}


def details(made: Sweep, frame: pd.DataFrame) -> Details:
    """Something in every field, for every variant."""
    rng = np.random.default_rng(1)
    names = [name for name in made.variants if len(made.results(name))]
    others = [name for name in names if name != made.baseline]

    def table(columns: str, rows: list) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=columns.split())

    middles = {(name, label): rng.normal(0, 2) for name in others for label in CLASSES}
    directions = (("gained", 0.0, 1.0), ("lost", 1.0, 0.5))
    flips = [
        (name, way, 7 + index, "cat", before, after, "dog", "cat")
        for name in others[:3]
        for index, (way, before, after) in enumerate(directions)
    ]
    return Details(
        headlines=[Headline(others[0], "helps", "It helps by 5 points.", "Take it.")],
        per_class=table(
            "variant label images accuracy_percent difference_points low_points high_points",
            [(name, label, 1000, 80.0, d, d - 1, d + 1) for (name, label), d in middles.items()],
        ),
        churn=table("variant churn_percent floor_percent excess_points", [(name, 12.5, 11.0, 1.5) for name in others]),
        calibration=table(
            "variant ece_percent_mean ece_percent_sd top5_percent_mean top5_percent_sd nll_mean nll_sd",
            [(name, 2.0, 0.1, 98.0, 0.2, 0.61, 0.01) for name in names],
        ),
        flips=table(
            "variant direction image label baseline_right variant_right baseline_says variant_says",
            flips,
        ),
        flip_counts=table("variant direction images images_by_chance", [(others[0], "gained", 40, 12.0)]),
        uncertainty=table(
            "variant accuracy_percent sd_seeds_points sd_distribution_points se_test_points difference_points "
            "low_test_points high_test_points low_both_points high_both_points",
            [(name, 80.0, 0.3, 0.2, 0.4, 1.0, 0.5, 1.5, 0.2, 1.8) for name in names],
        ),
        interactions=table(
            "kind factors levels difference_points low_points high_points p_adjusted sentence",
            [("interaction", "lrn x width", "lrn=false, width=2", 0.3, -0.2, 0.8, 0.4, "lrn and width simply add.")],
        ),
        claims=table(
            "claim source published ours verdict sentence",
            [("It helps by 2 points", "Somebody 2012", "+2", "+5.0", "reproduced", "More than was claimed.")],
        ),
        front=table("variant probability", [(name, 0.5) for name in names]),
        images={7: _png(7), 8: _png(8)},
        notes=["A note on the answer."],
        run_links={run_id: f"http://localhost:5000/#/runs/{run_id}" for run_id in made.runs["run_id"]},
        provenance={"TensorFlow": "2.21.0", "machine": "two cores"},
    )


def _png(seed: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (8, 8, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()
