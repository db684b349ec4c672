"""`make bench`: measures, and writes a table whose last lines are ratios of figures of this very run."""

import os
import shutil
import signal
import sys

from tests.bench import clusters, gates, machines, pages
from tests.bench.report import Report

PARTS = {"pages": pages.measure, "clusters": clusters.measure, "machines": machines.measure, "gates": gates.measure}
NEEDS = {"machines": machines.PROGRAMS, "gates": gates.PROGRAMS}
"""What parts that need root need besides: programs."""


def main() -> None:
    """Measure what this machine can measure; with an argument (``clusters``, ``gates`` ...) that alone."""
    # Told to end, it takes away what it made, as when it is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = Report()
    for part in sys.argv[1:] or PARTS:
        programs = NEEDS.get(part, ())
        if not programs or (os.geteuid() == 0 and all(map(shutil.which, programs))):
            PARTS[part](report)
        else:
            lacking = f"root and {', '.join(programs)}"
            print(f"Not measured: {part}, which needs {lacking} (`make lab`).", file=sys.stderr)  # noqa: T201
    report.publish()


main()
