"""What was parked comes back: without its token it is a copy, with it the event is opened; by hand and as SQS moves it."""

from stage import check, client, event, hook, local, messages, outcome, play, put, record, rest, send, state, status, until

QUEUE, DLQ = local["queues"]["suspend-user"]["url"], local["queues"]["suspend-user"]["dlqUrl"]


def parked(seconds=60):
    """The messages of the DLQ, which stay there."""
    found = {}

    def all_of_them():
        answer = client("sqs").receive_message(
            QueueUrl=DLQ, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
        )
        found.update({message["MessageId"]: message for message in answer.get("Messages", [])})
        return len(found) >= messages(DLQ) > 0

    until("the parked messages", seconds, all_of_them)
    return list(found.values())


def refuse(event_id, person):
    """Chime refuses the suspension for good; trying again would not help."""
    hook("POST", "faults", {"operation": "BatchSuspendUser", "kind": "bad_request", "times": 1})
    put([event(event_id, "termination", person)])
    rest("suspend-user", [event_id])


def move():
    """What SQS's own redrive does: each message as it is, attributes and all. The local SQS has no StartMessageMoveTask."""
    answer = client("sqs").receive_message(QueueUrl=DLQ, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    for message in answer["Messages"]:
        members = ("DataType", "StringValue")
        attributes = {
            name: {member: value[member] for member in members} for name, value in message["MessageAttributes"].items()
        }
        client("sqs").send_message(QueueUrl=QUEUE, MessageBody=message["Body"], MessageAttributes=attributes)
        client("sqs").delete_message(QueueUrl=DLQ, ReceiptHandle=message["ReceiptHandle"])


def main():
    refuse("by-hand", 21)
    check("an event that Chime refuses is parked", "parked", state("suspend-user", "by-hand"))
    [message] = parked()
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    check("its message has code, words and token", {"ErrorCode", "ErrorMessage", "ParkedAs"}, set(attributes))
    check("the token is the record's owner", record("suspend-user", "by-hand")["owner"]["S"], attributes["ParkedAs"])
    before = record("suspend-user", "by-hand")
    send("suspend-user", message["Body"])
    until("the copy is done", 60, lambda: not messages(QUEUE))
    check("without its token it is a copy: the record stays", before, record("suspend-user", "by-hand"))
    send("suspend-user", message["Body"], ParkedAs=attributes["ParkedAs"])
    until("it is opened again", 60, lambda: state("suspend-user", "by-hand") == "applied")
    check("with its token it is applied", ("applied", "suspended"), outcome("suspend-user", "by-hand"))
    check("and the person suspended", "Suspended", status(21))
    client("sqs").purge_queue(QueueUrl=DLQ)

    refuse("by-sqs", 22)
    check("another is parked", "parked", state("suspend-user", "by-sqs"))
    parked()
    move()
    until("it is moved, and it is opened", 90, lambda: state("suspend-user", "by-sqs") == "applied")
    check("moved with all of its attributes it is applied", ("applied", "suspended"), outcome("suspend-user", "by-sqs"))
    check("and nothing is left in the DLQ", 0, messages(DLQ))


play(main)
