"""``python -m chatsubo.cli`` is ``chatsubo``."""

from chatsubo.cli import main

main()
