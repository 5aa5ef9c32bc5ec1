"""Runs steps.json with one client, then every exception, and judges each answer by botocore's own service model.

Prints one line of JSON an operation: {"operation", "calls", "failures": [...]}. Arguments: client, endpoint, folder.
"""

import json
import os
import re
import subprocess
import sys
import urllib.request

import boto3
import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

CLIENT, ENDPOINT, FOLDER = sys.argv[1:4]
HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = botocore.session.get_session().get_service_model("chime")
# What the local Chime answers on command, by the exception that the model lists.
FAULTS = {
    "BadRequestException": "bad_request",
    "UnauthorizedClientException": "unauthorized",
    "ForbiddenException": "forbidden",
    "NotFoundException": "not_found",
    "ConflictException": "conflict",
    "UnprocessableEntityException": "unprocessable",
    "ThrottledClientException": "throttle",
    "ServiceFailureException": "service_failure",
    "ServiceUnavailableException": "service_unavailable",
}


class Boto:
    """boto3 in its standard form."""

    every_exception = True

    def __init__(self):
        self.client = boto3.client(
            "chime", endpoint_url=ENDPOINT, region_name="eu-west-1", aws_access_key_id="AKIDBOTO",
            aws_secret_access_key="secret", config=Config(retries={"total_max_attempts": 1}))

    def call(self, operation, given):
        try:
            output = getattr(self.client, xform_name(operation))(**given)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            typed = isinstance(error, getattr(self.client.exceptions, code, ()))
            return {"error": code if typed else f"not typed: {code}"}
        output.pop("ResponseMetadata")
        return {"output": output}

    def pages(self, operation, given, size):
        paginator = self.client.get_paginator(xform_name(operation))
        return list(paginator.paginate(**given, PaginationConfig={"PageSize": size}))


class Cli:
    """The AWS CLI, as a person runs it. It tells an exception by its name alone."""

    # A call takes it about a second: each exception once, on the first operation that lists it.
    every_exception = False

    def run(self, *arguments):
        program = os.path.join(os.path.dirname(sys.executable), "aws")
        environment = {"PATH": os.environ["PATH"], "HOME": FOLDER, "AWS_ACCESS_KEY_ID": "AKIDCLI", "AWS_SECRET_ACCESS_KEY": "x",
                       "AWS_DEFAULT_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "1", "AWS_RETRY_MODE": "standard", "AWS_PAGER": ""}
        return subprocess.run([program, "--endpoint-url", ENDPOINT, "--output", "json", "chime", *arguments],
                              capture_output=True, text=True, timeout=60, env=environment)

    def call(self, operation, given):
        done = self.run(xform_name(operation, "-"), "--cli-input-json", json.dumps(given))
        if done.returncode:
            code = re.search(r"An error occurred \((\w+)\)", done.stderr)
            return {"error": code.group(1) if code else f"not typed: {done.stderr.strip()[:200]}"}
        return {"output": json.loads(done.stdout) if done.stdout.strip() else {}}

    def pages(self, operation, given, size):
        # The CLI joins the pages; the call log counts them.
        before = calls(operation)
        done = self.run(xform_name(operation, "-"), "--cli-input-json", json.dumps(given), "--page-size", str(size))
        whole = json.loads(done.stdout)
        return [whole] + [{}] * (calls(operation) - before - 1)


class Js:
    """The AWS SDK for JavaScript, version 3, in a process of its own."""

    every_exception = True

    def __init__(self):
        self.process = subprocess.Popen(["node", os.path.join(FOLDER, "drive.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, "CHIME_ENDPOINT": ENDPOINT})

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def call(self, operation, given):
        told = self.ask(operation=operation, input=given)
        told.get("output", {}).pop("$metadata", None)
        return told

    def pages(self, operation, given, size):
        pages = self.ask(paginate=operation, input=given, pageSize=size)["pages"]
        for page in pages:
            page.pop("$metadata", None)
        return pages


def hook(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ENDPOINT}/_local/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def calls(operation):
    return hook("GET", "counters")["counters"].get(operation, {}).get("calls", 0)


def at(value, path):
    """What is at a path such as Users.0.UserId; # counts a list. An absent list counts as empty."""
    for part in path.split("."):
        if part == "#":
            return len(value or [])
        if value is None:
            return None
        value = value[int(part)] if part.isdigit() else value.get(part)
    return value


def invalid(operation, output):
    """What botocore's validator and the model say against an answer."""
    shape = MODEL.operation_model(operation).output_shape
    if shape is None:
        return [] if not output else ["an answer where the model has none"]
    report = ParamValidator().validate(output, shape)
    return ([report.generate_report()] if report.has_errors() else []) + list(strangers(output, shape, operation))


def strangers(value, shape, path):
    """Members that the model does not have, and words that its enumerations do not."""
    if shape.type_name == "structure":
        for name, member in value.items():
            if name not in shape.members:
                yield f"{path}.{name} is not in the model"
            elif member is not None:
                yield from strangers(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for member in value:
            yield from strangers(member, shape.member, path)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path} is no word of {shape.name}"


def without_nulls(value):
    """The CLI and JavaScript may show nulls; the model knows absent members only."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(member) for member in value] if isinstance(value, list) else value


def filled(value, saved):
    if isinstance(value, dict):
        return {name: filled(member, saved) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(member, saved) for member in value]
    return saved[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def step(client, step, saved):
    """Plays one step; yields what was wrong."""
    given = filled(step["input"], saved)
    if "paginate" in step:
        pages = [without_nulls(page) for page in client.pages(step["paginate"], given, step["pageSize"])]
        count = sum(len(page.get(step["members"], [])) for page in pages)
        if (len(pages), count) != (step["pages"], step["count"]):
            yield f"{len(pages)} pages with {count} members, expected {step['pages']} with {step['count']}"
        return
    told = client.call(step["operation"], given)
    if told.get("error") != step.get("error"):
        yield f"answered {told.get('error', 'success')}, expected {step.get('error', 'success')}"
        return
    if "error" in step:
        return
    output = without_nulls(told["output"])
    yield from invalid(step["operation"], output)
    for path, expected in filled(step["expect"], saved).items():
        if at(output, path) != expected:
            yield f"{path} is not what was expected"
    for name, path in step.get("save", {}).items():
        saved[name] = at(output, path)


def required(shape):
    """The least input that a client sends."""
    if shape.type_name == "structure":
        return {name: required(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [required(shape.member)]
    return {"boolean": True, "integer": 1}.get(shape.type_name, "x")


def exceptions(client):
    """Every exception that the model lists, on every operation: (operation, exception)."""
    seen = set()
    for operation in OPERATIONS:
        for shape in MODEL.operation_model(operation).error_shapes:
            if shape.name in FAULTS and (client.every_exception or shape.name not in seen):
                seen.add(shape.name)
                yield operation, shape.name


client = {"boto3": Boto, "aws-cli": Cli, "js-v3": Js}[CLIENT]()
with open(os.path.join(HERE, "steps.json")) as file:
    steps = json.load(file)
OPERATIONS = sorted({one["operation"] for one in steps if "operation" in one})
result = {operation: {"operation": operation, "calls": 0, "failures": []} for operation in OPERATIONS}
saved = {}
for one in steps:
    own = result[one.get("operation") or one["paginate"]]
    own["calls"] += 1
    try:
        own["failures"] += step(client, one, saved)
    except Exception as error:
        own["failures"].append(f"{type(error).__name__}: {error}")
for operation, name in exceptions(client):
    own = result[operation]
    own["calls"] += 1
    hook("POST", "faults", {"operation": operation, "kind": FAULTS[name]})
    told = client.call(operation, required(MODEL.operation_model(operation).input_shape) if MODEL.operation_model(operation).input_shape else {})
    if told.get("error") != name:
        own["failures"].append(f"answered {told.get('error', 'success')}, expected {name}")
for own in result.values():
    print(json.dumps(own))
