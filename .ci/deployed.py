"""With `cargo stack` running: deploys the build with SAM, checks one event and one roster, and invokes functions by hand."""

import json
import os
import subprocess
import sys
import time

import boto3
import environment

sys.path.insert(0, "local/stack")
import left_out

STACK = "rollcall-sam"

# Those that act. hr-intake needs more than they do, and what it publishes would come between their samples: `cargo e2e`
# plays it.
BY_HAND = ("invite-user", "suspend-user", "reinstate-user", "logout-user", "relicense-user")

local = environment.stack()
os.environ.update(environment.of_stack(local))


def until(what, seconds, check):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.2)
    sys.exit(f"{what}: not within {seconds} s")


# Beside the built template, so that its paths hold.
BUILT = ".aws-sam/build/local.yaml"
with open(".aws-sam/build/template.yaml", encoding="utf-8") as file:
    built = left_out.without(file.read())
with open(BUILT, "w", encoding="utf-8") as file:
    file.write(built)

subprocess.run(
    ["sam", "deploy", "--template-file", BUILT, "--stack-name", STACK, "--resolve-s3", "--no-confirm-changeset", "--no-progressbar"]
    + ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    + ["--parameter-overrides", "Architecture=x86_64"],
    check=True,
    timeout=300,
)
described = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

with open("events/worker.termination.effective.json", encoding="utf-8") as file:
    envelope = json.load(file)
entry = {
    "EventBusName": outputs["BusName"],
    "Source": envelope["source"],
    "DetailType": envelope["detail-type"],
    "Detail": json.dumps(envelope["detail"]),
}
assert boto3.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
table = boto3.resource("dynamodb").Table(outputs["LedgerTable"])
key = {"id": f"suspend-user#{envelope['detail']['eventId']}"}


def done():
    item = table.get_item(Key=key, ConsistentRead=True).get("Item")
    return item if item and item["status"] == "COMPLETED" else None


item = until("the event's outcome", 60, done)
assert item["state"] == "applied", item["state"]
print(f"the release binary on SAM's stack: {item['data']}")


# A roster that is dropped in the local stack's bucket takes force, and one that is cut off does not.
rows = "".join(f"{number},p{number}@acme.example,active\n" for number in range(100))
bucket = boto3.resource("s3").Bucket(local["bucket"])
roster = boto3.resource("dynamodb").Table(local["rosterTable"])
bucket.put_object(Key="roster/people.csv", Body=f"worker_id,email,status\n{rows}".encode())
current = until("the roster", 60, lambda: roster.get_item(Key={"id": "current"}, ConsistentRead=True).get("Item"))
assert (current["rows"], len(current["runs"])) == (100, 1), current
bucket.put_object(Key="roster/people.csv", Body=f"worker_id,email,status\n{rows}100,".encode())
refused = until("its refusal", 60, lambda: list(bucket.objects.filter(Prefix="rosters/refused/")))
refusal = json.load(refused[0].get()["Body"])
assert refusal["line"] == 102, refusal
assert roster.get_item(Key={"id": "current"}, ConsistentRead=True)["Item"] == current
print(f"a roster of {current['rows']} is in force, and one is refused: line {refusal['line']} {refusal['why']}")


def records(function):
    """The outcomes that the local stack's ledger has of a function's samples."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=local["table"], ConsistentRead=True)
    items = [item for page in pages for item in page["Items"]]
    return [item["state"]["S"] for item in items if item["id"]["S"].startswith(f"{function}#sample-")]


def invoke(function):
    """Invokes a function by hand with all of its samples, as CONTRIBUTING.md says."""
    data = f"events/invoke/{function}.json"
    at = ["-A", "127.0.0.1", "-P", "9017"]
    watch = subprocess.Popen(
        ["cargo", "lambda", "watch", *at, "--ignore-changes"],
        env=os.environ | environment.of_function(local, function),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        command = ["cargo", "lambda", "invoke", function, *at, "--data-file", data]

        def invoked():
            done = subprocess.run(command, capture_output=True, timeout=300)
            return json.loads(done.stdout) if done.returncode == 0 else None

        answer = until("cargo lambda invoke", 300, invoked)
    finally:
        watch.terminate()
        watch.wait(timeout=30)
    assert answer == {"batchItemFailures": []}, answer
    with open(data, encoding="utf-8") as file:
        sent = len(json.load(file)["Records"])
    states = sorted(records(function))
    assert len(states) == sent and not {"running", "retry"} & set(states), states
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    print(f"cargo lambda invoke {function}: {json.dumps(answer)}; of {sent} samples {counts}", flush=True)


for function in BY_HAND:
    invoke(function)
