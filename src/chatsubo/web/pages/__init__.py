"""The pages that people see: thin controllers over the game, and their templates."""

from litestar.types import ControllerRouterHandler

routes: list[ControllerRouterHandler] = []
"""What the application mounts at its prefix."""
