"""The program itself, telling in $TRACE which screens come to the top, what they focus and which actions it runs."""

import os
import sys

from textual.app import App
from textual.screen import Screen

from lastgood.cli.main import main

trace = open(os.environ["TRACE"], "a", buffering=1)  # noqa: SIM115
dispatch, resumed, set_focus = App._dispatch_action, Screen._on_screen_resume, Screen.set_focus


async def telling(self, namespace, action_name, params):  # type: ignore[no-untyped-def]
    done = await dispatch(self, namespace, action_name, params)
    trace.write(f"action {action_name}\n")
    return done


def telling_screen(self, event):  # type: ignore[no-untyped-def]
    trace.write(f"screen {type(self).__name__}\n")
    return resumed(self, event)


def telling_focus(self, *args, **options):  # type: ignore[no-untyped-def]
    set_focus(self, *args, **options)
    trace.write(f"focus-in-{type(self).__name__} {type(self.focused).__name__}\n")


App._dispatch_action, Screen._on_screen_resume = telling, telling_screen  # type: ignore[method-assign]
Screen.set_focus = telling_focus  # type: ignore[method-assign]
sys.argv[0] = "lastgood"
main()
