"""One batch with records that cannot be done now, and one that never can: only the first kind is seen again."""

from stage import check, client, enveloped, event, hook, local, messages, operator, outcome, play, record, rest, send, states, until
from pause import paused

GOOD = [f"good-{number}" for number in range(8)]
DLQ = local["queues"]["suspend-user"]["dlqUrl"]


def main():
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
    again = sorted(it["id"]["S"].split("#")[1] for it in items.values() if int(it["attempt"]["N"]) > 1)
    check("one of them in a second attempt, and no other", 1, len(again))
    suspensions = [it for it in hook("GET", "calls")["calls"][len(before) :] if it["operation"] == "BatchSuspendUser"]
    check("Chime was asked for nine, then for one", [9, 1], [len(it["users"]) for it in suspensions])
    check("what is no JSON is parked, not tried again", 1, messages(DLQ))
    client("sqs").purge_queue(QueueUrl=DLQ)


play(main)
