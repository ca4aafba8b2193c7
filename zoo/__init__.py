"""The bench: questions about image classifiers, trained, measured and recorded."""

import sys

# While Python looks for a program of this package, the working directory is where it looks first.
if sys.argv[:1] == ["-m"]:
    from zoo.host.import_path import put_standard_library_first

    put_standard_library_first()
