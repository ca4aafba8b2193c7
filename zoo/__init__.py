"""The bench: questions about image classifiers, trained, measured and recorded."""

import sys

if sys.argv[:1] == [
    "-m"
]:  # a program of this package is being found: the working directory is where Python looks first
    from zoo.host.import_path import put_standard_library_first

    put_standard_library_first()
