"""The local AWS under the rules of IAM: each function is its own role, and what it asks for is written down.

Argument: the file that gets a line of JSON for each role that a function takes, for each request that a role signed, and
for each decision about one.

The local AWS evaluates roles itself (AUTH=true), but not every condition key that template.yaml uses. Where a key is
missing, a condition on it would always hold (ForAllValues) or never (StringEquals). So the keys of DynamoDB and
EventBridge are told here, as AWS does:
- dynamodb:LeadingKeys: the partition keys of the request; of a query, its index's. AWS looks at a transaction's items one
  by one, this at all of them together: stricter, if at all.
  Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html.
- events:source, events:detail-type: of each entry, which is decided on by itself.
  Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html.
Besides,
- SQS has no actions for batches: sqs:SendMessage allows SendMessageBatch too, and so on.
  Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html.
- a schedule's group stands in the body, and in its ARN: schedule/<group>/<name>.
  Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html.
- what comes over loopback counts as TLS (aws:SecureTransport): it does not leave the machine.
"""

import json
import re
import sys
import threading

from ministack import app as service
from ministack.core import iam_actions, iam_evaluator
from ministack.services import sts

# The partition key of both tables.
KEY = "id"

ENTRIES = "rollcall:entries"
EQUALITY = re.compile(r"=\s*(:\w+)")
SIGNED = re.compile(r"Credential=([^/]+)/")

record = open(sys.argv[1], "a", encoding="utf-8", buffering=1)
writing = threading.Lock()
register = sts.register_session
of_dynamodb = iam_actions.dynamodb_service_context
of_request = iam_actions.request_tag_context
of_resource = iam_actions.extract_resource_arn
enforce = iam_evaluator.enforce
pin = service.pin_request_origin
answer = service.app


def note(**line):
    with writing:
        record.write(json.dumps(line) + "\n")


def parsed(body):
    try:
        read = json.loads(body or b"{}")
    except (ValueError, UnicodeDecodeError):
        return {}
    return read if isinstance(read, dict) else {}


def partitions(value):
    """Every partition key of a request: of keys and items, wherever they stand, by the members that hold them."""
    if isinstance(value, list):
        for member in value:
            yield from partitions(member)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in ("Key", "Item"):
                yield member.get(KEY, {}).get("S", "")
            elif name == "Keys":
                yield from (key.get(KEY, {}).get("S", "") for key in member)
            elif name not in ("ExpressionAttributeValues", "ExclusiveStartKey"):
                yield from partitions(member)


def taken(access_key, session):
    note(key=access_key, role=session.get("Arn", "").split("/")[1:2])
    register(access_key, session)


def queried(request):
    """The partition key of a query: what its first equality says."""
    equal = EQUALITY.search(request.get("KeyConditionExpression", ""))
    value = request.get("ExpressionAttributeValues", {}).get(equal[1], {}) if equal else {}
    return [value["S"]] if "S" in value else []


def dynamodb_context(body):
    request = parsed(body)
    context, keys = of_dynamodb(body), sorted({*partitions(request), *queried(request)})
    return {**context, "dynamodb:LeadingKeys": keys} if keys else context


def request_context(name, action, body, parameters):
    context = of_request(name, action, body, parameters)
    if action != "events:PutEvents":
        return context
    entries = [(entry.get("Source", ""), entry.get("DetailType", "")) for entry in parsed(body).get("Entries", [])]
    return {**context, ENTRIES: sorted(set(entries))}


def resource(name, method, path, headers, body, *rest):
    arn = of_resource(name, method, path, headers, body, *rest)
    group = parsed(body).get("GroupName") if name == "scheduler" else None
    return arn.replace(":schedule/default/", f":schedule/{group}/") if group else arn


def decide(access_key, action, name, region, resource_arn="*", service_context=None):
    if action.startswith("sqs:"):
        action = action.removesuffix("Batch")
    context = dict(service_context or {})
    entries = context.pop(ENTRIES, None)
    told = [context] if entries is None else [
        {**context, "events:source": source, "events:detail-type": detail_type} for source, detail_type in entries
    ]
    for one in told:
        denied = enforce(access_key, action, name, region, resource_arn=resource_arn, service_context=one)
        if (access_key or "").startswith("ASIA"):
            keys = {key: one[key] for key in ("dynamodb:LeadingKeys", "events:source", "events:detail-type") if key in one}
            note(key=access_key, action=action, resource=resource_arn, context=keys, denied=bool(denied))
        if denied:
            return denied
    return None


async def answered(scope, receive, send):
    if scope["type"] == "http":
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        signed = SIGNED.search(headers.get("authorization", ""))
        if signed and signed[1].startswith("ASIA"):
            path, query = scope.get("raw_path") or scope["path"].encode(), scope.get("query_string", b"")
            url = path.decode("latin-1") + "?" + query.decode("latin-1")
            note(key=signed[1], method=scope["method"], url=url, headers=headers)
    await answer(scope, receive, send)


sts.register_session = taken
iam_actions.dynamodb_service_context = dynamodb_context
iam_actions.request_tag_context = request_context
iam_actions.extract_resource_arn = resource
iam_evaluator.enforce = decide
service.pin_request_origin = lambda address, tls: pin(address, tls or address == "127.0.0.1")
service.app = answered
sys.argv[1:] = []
service.main()
