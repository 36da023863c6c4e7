"""Saves checkpoints with the real SDK until it is killed: a large state, so that the kill falls into a write."""

import sys

from continuum_sdk.agent.checkpoint import CheckpointClient

client = CheckpointClient(sys.argv[1])
state = {"iteration": 0, "messages": [{"role": "user", "content": "x" * 100} for _ in range(int(sys.argv[3]))]}
while True:
    state["iteration"] += 1
    client.save(sys.argv[2], state)
    print(state["iteration"], flush=True)
