"""MLflow's names are those of docs and design, and the metrics of reports are known by the same."""

from __future__ import annotations

from zoo.measure import Cost
from zoo.measure.metrics import METRICS
from zoo.tracking.names import SingleMetrics, StepMetrics


def test_the_metrics_that_are_written_are_those_that_reports_read():
    written = {
        *(SingleMetrics.cost_of(figure) for figure in Cost._fields),
        *(SingleMetrics.latency_ms_of("tf", percentile) for percentile in ("p50", "p90", "p99")),
        *(SingleMetrics.TRAIN_S, StepMetrics.TEST_ACCURACY, StepMetrics.TEST_TOP5),
    }
    known = {metric.key for metric in METRICS.values()}
    assert written <= known
