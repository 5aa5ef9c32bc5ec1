"""Compares what each role may do with what it did, over all stages: nothing too much, nothing missing.

Arguments: whether all scenarios were played, then the folders of the stages.

A statement is compared as a whole: an action counts as used where a call had this action, a resource that the statement
names and, where it says which, a key that it lets pass. A resource or a pattern of keys that no call needed is too much,
too.
"""

import fnmatch
import json
import os
import sys

CONSUMERS = ("invite-user", "suspend-user", "reinstate-user", "logout-user", "relicense-user", "hr-intake")
FUNCTIONS = (*CONSUMERS, "hr-receive", "hr-reconcile", "license-audit", "roster-load")

# What the platform does in a role's name, or asks of it, without a call of the function. The local AWS asks for none of it,
# so that no run can show that it is missing, or too much: each of these roles has the action, and no other has it. Reasons
# are of AWS's documentation.
PLATFORM = {
    # Lambda developer guide, "Creating and configuring an Amazon SQS event source mapping", execution role permissions.
    "sqs:ReceiveMessage": (CONSUMERS, "the event source mapping takes messages in the role's name"),
    "sqs:DeleteMessage": (CONSUMERS, "the event source mapping deletes what was done"),
    "sqs:GetQueueAttributes": (CONSUMERS, "the event source mapping looks at the queue"),
    # Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs".
    "logs:CreateLogStream": (FUNCTIONS, "Lambda writes what the function prints"),
    "logs:PutLogEvents": (FUNCTIONS, "Lambda writes what the function prints"),
    # Lambda developer guide, "Visualize Lambda function invocations using AWS X-Ray".
    "xray:PutTelemetryRecords": ((*FUNCTIONS, "audit-machine"), "Lambda and Step Functions send traces"),
    "xray:PutTraceSegments": ((*FUNCTIONS, "audit-machine"), "Lambda and Step Functions send traces"),
    # Step Functions developer guide, "Trace Step Functions request data in AWS X-Ray".
    "xray:GetSamplingRules": (("audit-machine",), "Step Functions samples by itself"),
    "xray:GetSamplingTargets": (("audit-machine",), "Step Functions samples by itself"),
    # SQS, DynamoDB, S3 and SNS use the caller's permission for the stack's key. The queue `Undelivered` does not have it.
    "kms:Decrypt": ((*FUNCTIONS, "wake", "audit-machine"), "queues, tables, buckets and the audit's topic have the stack's key"),
    "kms:GenerateDataKey": ((*FUNCTIONS, "wake", "audit-machine"), "queues, tables, buckets and the audit's topic have the stack's key"),
    # EventBridge Scheduler user guide, "Identity-based policies", PassRole.
    "iam:PassRole": (("hr-intake",), "Scheduler asks for it where a schedule is made that acts as a role"),
    # S3 API reference, GetObject: 404 with s3:ListBucket, 403 without.
    "s3:ListBucket": (("hr-intake", "license-audit"), "S3 calls an object that is not there absent, and not forbidden"),
}

# The same of actions that others of the roles use by themselves.
PLATFORM_OF = {
    # Lambda developer guide, "Adding a dead-letter queue".
    ("roster-load", "sqs:SendMessage"): "Lambda sends what failed three times to the function's DLQ",
    ("hr-reconcile", "sqs:SendMessage"): "Lambda sends what failed three times to the function's DLQ",
    # Roles of Scheduler and Step Functions. They act as these on AWS; the local AWS acts as itself.
    ("wake", "sqs:SendMessage"): "Scheduler wakes an announcement, or gives it up to a DLQ",
    ("audit-schedule", "states:StartExecution"): "Scheduler starts the audit",
    ("audit-schedule", "sqs:SendMessage"): "Scheduler gives up to a DLQ",
    ("reconcile-schedule", "lambda:InvokeFunction"): "Scheduler starts the pass",
    ("reconcile-schedule", "sqs:SendMessage"): "Scheduler gives up to a DLQ",
    ("audit-machine", "lambda:InvokeFunction"): "the state machine's steps",
    ("audit-machine", "events:PutEvents"): "the state machine tells the bus",
    ("audit-machine", "sns:Publish"): "the state machine tells the topic",
}


def listed(value):
    return value if isinstance(value, list) else [value]


def patterns(statement):
    """The patterns of keys that a statement lets pass; none where it says nothing of them."""
    conditions = statement.get("Condition", {})
    values = [it["dynamodb:LeadingKeys"] for it in conditions.values() if "dynamodb:LeadingKeys" in it]
    return listed(values[0]) if values else []


def matches(statement, call):
    action, resource, key = call
    if action not in listed(statement["Action"]):
        return False
    if not any(fnmatch.fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"])):
        return False
    keys = patterns(statement)
    return not keys or key is None or any(fnmatch.fnmatchcase(key, pattern) for pattern in keys)


def kind(resource):
    """A resource of any stack: what it is, and the folder in it."""
    return ":".join(resource.split(":")[2:3]) + " " + "/".join(resource.split("/")[1:])


def compare(name, statements, calls):
    """What a role may do and did not, and what it did and may not."""
    unused, not_allowed = [], []
    for statement in statements:
        sid = statement.get("Sid", "-")
        mine = [call for call in calls if matches(statement, call)]
        done = {action for action, _, _ in mine}
        for action in listed(statement["Action"]):
            if action not in done and action not in PLATFORM and (name, action) not in PLATFORM_OF:
                unused.append(f"{name} {sid}: {action}")
        of_platform = all(action in PLATFORM or (name, action) in PLATFORM_OF for action in listed(statement["Action"]))
        for pattern in [] if of_platform else listed(statement["Resource"]):
            if not any(fnmatch.fnmatchcase(resource, pattern) for _, resource, _ in mine):
                # Without what chance gave: each stage has its own.
                unused.append(f"{name} {sid}: {listed(statement['Resource']).index(pattern) + 1}. resource, {kind(pattern)}")
        for pattern in patterns(statement):
            if not any(key and fnmatch.fnmatchcase(key, pattern) for _, _, key in mine):
                unused.append(f"{name} {sid}: keys {pattern}")
    for call in calls:
        if not any(matches(statement, call) for statement in statements):
            not_allowed.append(f"{name}: {call[0]} on {call[1]}" + (f", key {call[2]}" if call[2] else ""))
    return unused, not_allowed


def told(what, problems):
    if problems:
        for problem in problems:
            print(json.dumps({"unexpected": f"{what}: {problem}"}))
    else:
        print(json.dumps({"asserted": what}))


def main():
    everything, *folders = sys.argv[1:]
    allowed, used = {}, {}
    for folder in folders:
        with open(os.path.join(folder, "roles.json"), encoding="utf-8") as file:
            stage = json.load(file)
        names = {role: it["policy"] for role, it in stage["allowed"].items()}
        for role in stage["allowed"].values():
            allowed[role["policy"]] = role
        for role, calls in stage["used"].items():
            # Names and ARNs of resources end with chance, other for each stack.
            used.setdefault(names.get(role, role), []).append((stage["allowed"].get(role, {}).get("statements", []), calls))
    unused, not_allowed, platform = {}, [], set()
    asked = {(role, action) for action, (roles, _) in PLATFORM.items() for role in roles} | set(PLATFORM_OF)
    for name, role in sorted(allowed.items()):
        statements = role["statements"]
        still = None
        for of_stage, calls in used.get(name, [(statements, [])]):
            missing, denied = compare(name, of_stage, [tuple(call) for call in calls])
            not_allowed += denied
            still = set(missing) if still is None else still & set(missing)
        unused[name] = sorted(still or [])
        for statement in statements:
            for action in listed(statement["Action"]):
                if action in PLATFORM or (name, action) in PLATFORM_OF:
                    platform.add((name, action))
    strangers = sorted(set(used) - set(allowed))
    calls = sum(len({call[0] for _, calls in of for call in calls}) for of in used.values())
    told(f"{len(allowed)} roles: none of the {calls} different actions that were called is missing", not_allowed + strangers)
    missing = [f"{role}: {action} is missing" for role, action in sorted(asked - platform)]
    too_many = [f"{role}: {action} is too much" for role, action in sorted(platform - asked)]
    if folders:
        what = f"what the platform asks of roles, {len(asked)} permissions with their reasons: each is there, and no other"
        told(what, missing + too_many)
    if everything == "true":
        told("no role has an action or a pattern of keys that it did not use", [it for name in unused.values() for it in name])


main()
