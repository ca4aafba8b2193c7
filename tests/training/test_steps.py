"""The compiled loop: what lies on its cycle, and that a step before the clock leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from helpers import small
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from tensorflow.python.eager import context
from training import golden

from zoo.training.network import create_network, default_strategy
from zoo.training.steps import Totals, training_function

CONTROL_FLOW = {"Merge", "Switch", "LoopCond", "NextIteration", "Identity", "_HostSend", "_HostRecv"}
COUNTERS = {"Less", "AddV2", "Const"}


def training(config, devices=("CPU:0",)):
    network = create_network(config, 0, 10, len(golden.IMAGES), default_strategy(devices))
    images, labels = tf.constant(golden.IMAGES), tf.constant(golden.LABELS)
    return network, training_function(network, images, labels, config, 0)


def on_cycles(graph):
    """The operations of a GraphDef that lie on a cycle of it."""
    number = {node.name: position for position, node in enumerate(graph.node)}
    edges = [
        (number[name.removeprefix("^").partition(":")[0]], number[node.name])
        for node in graph.node
        for name in node.input
    ]
    sources, targets = np.array(edges, int).reshape(-1, 2).T
    matrix = coo_matrix((np.ones(len(edges)), (sources, targets)), shape=(len(number), len(number)))
    _, component = connected_components(matrix, connection="strong")
    is_cycle = np.bincount(component) > 1
    return [node.op for node, its in zip(graph.node, component, strict=True) if is_cycle[its]]


@pytest.mark.parametrize("devices", [("CPU:0",), ("CPU:0", "CPU:1")])
def test_only_the_call_of_the_step_lies_on_the_cycle_of_the_loop(devices):
    # What TensorFlow does to a network that lies on a cycle depends on addresses in memory: see zoo/training/steps.py.
    _, steps = training(small.config(), devices)
    context.enable_run_metadata()
    try:
        steps(0, 2, Totals())
        graphs = context.export_run_metadata().partition_graphs
    finally:
        context.disable_run_metadata()
    operations = [op for graph in graphs for op in on_cycles(graph)]
    assert operations.count("StatefulPartitionedCall") == 1
    assert set(operations) - {"StatefulPartitionedCall"} <= CONTROL_FLOW | COUNTERS


@pytest.mark.parametrize("devices", [("CPU:0",), ("CPU:0", "CPU:1")])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_step_of_a_network_that_is_kept_changes_nothing(devices, precision):
    config = small.config(arguments={"batch_norm": True}, optimizer={"name": "adam", "lr": 0.001}, precision=precision)
    network, steps = training(config, devices)
    before = [value.numpy() for value in network.local_variables()]
    with network.kept():
        steps(0, 1, Totals())
        assert any((value.numpy() != old).any() for value, old in zip(network.local_variables(), before, strict=True))
    for value, old in zip(network.local_variables(), before, strict=True):
        np.testing.assert_array_equal(value.numpy(), old)
