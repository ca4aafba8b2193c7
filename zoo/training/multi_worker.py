"""The processes that do one training together, and what they must agree on.

Each runs the whole program on its own rows of the batch, and they meet in collective operations: gradients, the moments
of batch normalization, statistics that are read for an evaluation or a checkpoint. So all have to make the same
calls in the same order, whatever each one's clock, disk and signals say.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.host import ports
from zoo.storage.record import Record

if TYPE_CHECKING:
    import tensorflow as tf


def join(rank: int, peers: Sequence[str]) -> tf.distribute.MultiWorkerMirroredStrategy:
    """The MultiWorkerMirroredStrategy of worker ``rank`` of those at ``peers``, each host:port; waits for all of them.

    Call it before TensorFlow runs its first operation. TensorFlow listens on every interface of this machine and trusts
    every process that connects; where all are on one machine, other machines are refused as soon as all have met.
    """
    import tensorflow as tf

    cluster = {"cluster": {"worker": list(peers)}, "task": {"type": "worker", "index": rank}}
    os.environ["TF_CONFIG"] = json.dumps(cluster)
    with _sigterm_as_it_was():
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    if len({peer.rpartition(":")[0] for peer in peers}) == 1:
        ports.refuse_other_machines()
    return strategy


@contextlib.contextmanager
def _sigterm_as_it_was() -> Iterator[None]:
    """SIGTERM keeps its handler, which TensorFlow replaces on joining; a signal that comes meanwhile is handled after it."""
    handler = signal.getsignal(signal.SIGTERM)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that keeps the record: worker 0, and any that trains alone."""
    return bool(strategy.extended.should_checkpoint)


def are_several(strategy: tf.distribute.Strategy) -> bool:
    """Whether other processes take part in this training."""
    import tensorflow as tf

    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def exchange_function(strategy: tf.distribute.Strategy) -> Callable[[Sequence[int]], NDArray[np.int64]]:
    """A function ``values -> all``: what the process of each replica gave, int64 [replicas, len(values)], the chief first.

    All processes must call it at the same time, with equally many values.
    """
    import tensorflow as tf

    if not are_several(strategy):
        return lambda values: np.array([values], np.int64)
    replicas = strategy.num_replicas_in_sync

    def in_own_row(values: Any) -> Any:
        row = tf.distribute.get_replica_context().replica_id_in_sync_group
        return tf.one_hot(row, replicas, dtype=tf.int64)[:, None] * values[None, :]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def rows(values: Any) -> Any:
        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(in_own_row, args=(values,)), axis=None)

    return lambda values: rows(tf.constant(values, tf.int64)).numpy()


@contextlib.contextmanager
def own_record(strategy: tf.distribute.Strategy, record: Record) -> Iterator[Record]:
    """Where this process writes within this block: ``record`` for the chief, a temporary directory for the others.

    They write all that the chief writes, because reading a variable in order to save it can be a collective operation.
    """
    if is_chief(strategy):
        yield record
        return
    with tempfile.TemporaryDirectory(prefix="zoo-worker-") as scratch:
        yield Record(Path(scratch))
