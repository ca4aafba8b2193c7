"""The most that this machine's cores multiply and add: products of two square matrices, which stay in their caches."""

from __future__ import annotations

from benchmarks.contender import ContenderServer

SIZE = 2048  # rows and columns of both matrices
OPS = 2 * SIZE**3  # of one product


def compete(server: ContenderServer) -> None:
    """``float32`` and ``bfloat16``: operations of matrix products, in TensorFlow as the trainer has them."""
    from zoo.host.quiet_import import quiet_import

    with quiet_import():
        import tensorflow as tf
    from zoo.host import hardware

    tf.config.threading.set_intra_op_parallelism_threads(hardware.cores())

    def product_in(dtype):
        left, right = (tf.cast(tf.random.stateless_normal([SIZE, SIZE], [seed, 0]), dtype) for seed in (1, 2))
        multiply = tf.function(lambda: left @ right, autograph=False)
        multiply()

        def product() -> int:
            multiply()
            return OPS

        return product

    products = {dtype.name: product_in(dtype) for dtype in (tf.float32, tf.bfloat16)}
    server.ready()
    server.serve(products)
