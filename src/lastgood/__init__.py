"""lastgood: find the last good checkpoint of a crashed session, and restore it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core.recovery import CrashRecovery as CrashRecovery

__version__ = "0.1.0"
__all__ = ["CrashRecovery", "__version__"]


def __getattr__(name: str) -> object:
    # Imported when asked for: `lastgood list` starts without it.
    if name == "CrashRecovery":
        from .core.recovery import CrashRecovery

        return CrashRecovery
    raise AttributeError(f"module 'lastgood' has no attribute {name!r}")
