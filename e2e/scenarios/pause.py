"""A function is paused: events wait; then they are done, each once."""

import time
from contextlib import contextmanager

from stage import calls, check, client, event, ledger, local, messages, operator, play, put, rest, states, until


def switch(function, enabled):
    mapping = operator()["functions"][function]["mapping"]
    client("lambda").update_event_source_mapping(UUID=mapping, Enabled=enabled)
    wanted = "Enabled" if enabled else "Disabled"
    until(f"the mapping is {wanted}", 60, lambda: client("lambda").get_event_source_mapping(UUID=mapping)["State"] == wanted)


@contextmanager
def paused(function):
    """Nothing is taken from the function's queue meanwhile."""
    switch(function, False)
    # A poll that had begun comes to its end.
    time.sleep(1)
    try:
        yield
    finally:
        switch(function, True)


def main():
    ids = [f"paused-{number}" for number in range(20)]
    before = len(calls("BatchSuspendUser"))
    with paused("suspend-user"):
        put([event(event_id, "termination", 50 + number) for number, event_id in enumerate(ids)])
        url = local["queues"]["suspend-user"]["url"]
        until("they wait", 30, lambda: messages(url) == len(ids))
        time.sleep(3)
        check("paused, twenty events wait in the queue", len(ids), messages(url))
        begun = [item for item in ledger() if item["id"]["S"].split("#")[-1] in ids]
        check("and none is begun", [], begun)
    check("resumed, all are applied", {"applied": len(ids)}, states(rest("suspend-user", ids)))
    users = [user for call in calls("BatchSuspendUser")[before:] for user in call["users"]]
    check("each person once", (len(ids), len(ids)), (len(users), len(set(users))))


if __name__ == "__main__":
    play(main)
