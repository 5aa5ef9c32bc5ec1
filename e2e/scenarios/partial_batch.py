"""One batch with records that cannot be done now, and one that never can: only the first kind is seen again."""

import re

from pause import paused
from stage import check, client, enveloped, event, hook, local, messages, play, rest, send, states

GOOD = [f"good-{number}" for number in range(8)]
DLQ = local["queues"]["suspend-user"]["dlqUrl"]


# What the local AWS says of each batch.
TOLD = re.compile(r"rollcall-suspend-user processed (\d+) SQS messages from \S+(?: \((\d+) partial failures\))?")


def batches():
    """How many messages of each batch were done, and how many went back."""
    with open(local["log"], encoding="utf-8") as file:
        return [(int(it[1]), int(it[2] or 0)) for it in map(TOLD.search, file) if it]


def main():
    known = len(batches())
    before = hook("GET", "calls")["calls"]
    with paused("suspend-user"):
        for number, event_id in enumerate(GOOD):
            send("suspend-user", enveloped(*event(event_id, "termination", 30 + number)))
        send("suspend-user", enveloped(*event("refused-once", "termination", 38)))
        send("suspend-user", "{ no JSON at all")
        # Nine people are in one call: the ninth is refused.
        kind = {"user_errors": {"code": "ServiceFailure", "every": 9}}
        hook("POST", "faults", {"operation": "BatchSuspendUser", "kind": kind, "times": 1})
    items = rest("suspend-user", [*GOOD, "refused-once"])
    check("all nine are applied in the end", {"applied": 9}, states(items))
    check("one of ten messages goes back, and then it alone comes again", [(9, 1), (1, 0)], batches()[known:])
    suspensions = [it for it in hook("GET", "calls")["calls"][len(before) :] if it["operation"] == "BatchSuspendUser"]
    check("Chime was asked for nine, then for one", [9, 1], [len(it["users"]) for it in suspensions])
    check("what is no JSON is parked, not tried again", 1, messages(DLQ))
    client("sqs").purge_queue(QueueUrl=DLQ)


play(main)
