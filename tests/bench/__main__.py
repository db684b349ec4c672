"""`make bench`: measures, and writes a table whose last lines are ratios of figures of this very run."""

import os
import shutil
import sys

from tests.bench import clusters, machines, pages
from tests.bench.report import Report


def main() -> None:
    """Measure what this machine can measure; with an argument (``clusters``, ``machines``, ``pages``) that alone."""
    wanted = sys.argv[1:] or ["pages", "clusters", "machines"]
    report = Report()
    if "pages" in wanted:
        pages.measure(report)
    if "clusters" in wanted:
        clusters.measure(report)
    if "machines" in wanted:
        if os.geteuid() == 0 and shutil.which("dockerd"):
            machines.measure(report)
        else:
            print("Machines are not measured: that needs root and a Docker Engine (`make lab`).", file=sys.stderr)  # noqa: T201
    report.publish()


main()
