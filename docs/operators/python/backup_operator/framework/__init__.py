"""The parts that every operator needs, with handlers as decorated functions."""

from .app import Context, Operator, Refused, Settings

__all__ = ["Context", "Operator", "Refused", "Settings"]
