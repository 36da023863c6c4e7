"""The program itself, telling in $TRACE which screens it opens and which actions it runs."""

import os
import sys

from textual.app import App
from textual.screen import Screen

from lastgood.cli.main import main

trace = open(os.environ["TRACE"], "a", buffering=1)  # noqa: SIM115
dispatch, mounted = App._dispatch_action, Screen._on_mount


async def telling(self, namespace, action_name, params):  # type: ignore[no-untyped-def]
    trace.write(f"action {action_name}\n")
    return await dispatch(self, namespace, action_name, params)


def telling_screen(self, event):  # type: ignore[no-untyped-def]
    trace.write(f"screen {type(self).__name__}\n")
    return mounted(self, event)


App._dispatch_action, Screen._on_mount = telling, telling_screen  # type: ignore[method-assign]
sys.argv[0] = "lastgood"
main()
