"""Deploys template.yaml to the local AWS, as `sam package` and `sam deploy` would.

Arguments: endpoint, stack name, template, JSON of parameters, then one NAME=BINARY for each function.
Prints the stack's outputs as one JSON object.
"""

import io
import json
import os
import re
import sys
import time
import zipfile

import boto3

# This file is run as text, so what stands beside it is found from the template's place.
sys.path.insert(0, os.path.join(os.path.dirname(sys.argv[3]), "local", "stack"))
import left_out

DEPLOY_SECONDS = 120


def archive(binary):
    """A function's package: its binary under the name that the runtime starts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as package:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        with open(binary, "rb") as source:
            package.writestr(entry, source.read())
    return buffer.getvalue()


def main():
    endpoint, stack, template_path, parameters, *functions = sys.argv[1:]
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    client = lambda service: session.client(service, endpoint_url=endpoint)

    bucket = f"{stack}-code"
    s3 = client("s3")
    s3.create_bucket(Bucket=bucket)
    with open(template_path, encoding="utf-8") as source:
        template = left_out.without(source.read())
    for name, binary in (function.split("=", 1) for function in functions):
        key = f"{name}.zip"
        s3.put_object(Bucket=bucket, Key=key, Body=archive(binary))
        template, count = re.subn(rf"CodeUri: functions/{name}\b", f"CodeUri: s3://{bucket}/{key}", template)
        if count != 1:
            sys.exit(f"template.yaml has {count} functions with CodeUri: functions/{name}, not one")

    # CloudFormation makes up a name for a parameter that has none, and it has no slash before it. The local AWS makes up
    # one that begins with a slash; then no ARN of template.yaml would fit.
    unnamed = "  PolicyDocument:\n    Type: AWS::SSM::Parameter\n    Properties:\n"
    template = template.replace(unnamed, f"{unnamed}      Name: CFN-PolicyDocument\n")

    # As `sam package` does it: definitions of state machines go beside the functions.
    folder = os.path.dirname(template_path)
    for path in re.findall(r"DefinitionUri: (statemachines/\S+)", template):
        with open(os.path.join(folder, path), "rb") as source:
            s3.put_object(Bucket=bucket, Key=path, Body=source.read())
        template = template.replace(f"DefinitionUri: {path}", f"DefinitionUri: s3://{bucket}/{path}")

    # A template of more than 51,200 bytes comes from a bucket, as `sam deploy` does it.
    s3.put_object(Bucket=bucket, Key="template.yaml", Body=template.encode())
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=stack,
        TemplateURL=f"{endpoint}/{bucket}/template.yaml",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in json.loads(parameters).items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    deadline = time.monotonic() + DEPLOY_SECONDS
    while True:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if described["StackStatus"] == "CREATE_COMPLETE":
            break
        if described["StackStatus"] != "CREATE_IN_PROGRESS" or time.monotonic() > deadline:
            events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
            reasons = [event.get("ResourceStatusReason") for event in events if "FAILED" in event["ResourceStatus"]]
            sys.exit(f"{described['StackStatus']}: {'; '.join(filter(None, reasons))}")
        time.sleep(0.1)

    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    # The local AWS drops the template's time to live.
    for table in ("LedgerTable", "RosterTableName"):
        client("dynamodb").update_time_to_live(
            TableName=outputs[table],
            TimeToLiveSpecification={"AttributeName": "expiration", "Enabled": True},
        )
    print(json.dumps(outputs))


main()
