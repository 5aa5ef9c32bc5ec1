"""Calls of boto3, one a line: {"service", "operation", "input"} in, {"output"} or {"error"} out.

Argument: the endpoint of the local AWS.
"""

import functools
import json
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


@functools.cache
def client(service):
    return session.client(service, endpoint_url=sys.argv[1])


for line in sys.stdin:
    call = json.loads(line)
    try:
        output = getattr(client(call["service"]), call["operation"])(**call["input"])
        output.pop("ResponseMetadata", None)
        told = {"output": output}
    except (BotoCoreError, ClientError) as error:
        told = {"error": str(error)}
    print(json.dumps(told, default=str), flush=True)
