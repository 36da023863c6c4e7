"""The yardstick of verification: `python plain_loop.py STORE` reads, parses, prints sorted, hashes and compares."""

from __future__ import annotations

import hashlib
import os
import sys

import orjson


def valid_in(store: str) -> int:
    """How many of the store's checkpoints hold what their checksum says."""
    valid = 0
    for session in os.scandir(store):
        for entry in os.scandir(f"{session.path}/checkpoints"):
            if entry.name.startswith("cp_"):
                with open(entry.path, "rb") as file:
                    value = orjson.loads(file.read())
                stated = value.pop("_checksum")
                del value["_version"]
                printed = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
                valid += hashlib.sha256(printed).hexdigest() == stated
    return valid


if __name__ == "__main__":
    print(valid_in(sys.argv[1]))
