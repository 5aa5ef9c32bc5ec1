"""What a function that acts needs to run by hand beside `cargo stack`. Argument: its name. Prints lines for a shell."""

import json
import shlex
import sys


def stack():
    """What `cargo stack` wrote of itself."""
    with open("target/local/stack.json", encoding="utf-8") as file:
        return json.load(file)


def of_stack(local):
    """For any SDK."""
    return {
        "AWS_ENDPOINT_URL": local["endpoint"],
        "AWS_REGION": local["region"],
        "AWS_DEFAULT_REGION": local["region"],
        "AWS_ACCESS_KEY_ID": local["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": local["secretAccessKey"],
    }


def of_function(local, function):
    """For a function on the road, as template.yaml has it. With a person key of its own, nobody is known to it."""
    queue = local["queues"][function]
    return of_stack(local) | {
        "ROLLCALL_TABLE": local["table"],
        "ROLLCALL_QUEUE_URL": queue["url"],
        "ROLLCALL_DLQ_URL": queue["dlqUrl"],
        "ROLLCALL_PERSON_KEY": "a-person-key-for-one-invocation-only",
        "ROLLCALL_POLICY": f"ssm:{local['policy']}",
        "AWS_ENDPOINT_URL_CHIME": local["chime"],
    }


if __name__ == "__main__":
    for name, value in of_function(stack(), sys.argv[1]).items():
        print(f"export {name}={shlex.quote(value)}")
