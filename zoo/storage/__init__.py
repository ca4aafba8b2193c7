"""Results on disk: typed records of trainings, atomic writes, logs, the lock on a sweep. May import zoo.measure."""
