"""The program itself with a defect put into it: the key of the help fails, with a checkpoint's text in its error."""

import sys
from pathlib import Path

from lastgood.cli.main import main
from lastgood.tui.screens.main import MainScreen


def fail(self):  # type: ignore[no-untyped-def]
    contents = Path(self.file_to_show().path).read_text()
    raise ValueError(contents)


MainScreen.action_help = fail  # type: ignore[method-assign]
sys.argv[0] = "lastgood"
main()
