"""What the local AWS does not have, and a template without it."""

import re

# Its CloudFormation refuses these types. None of them carries an event from one part of Rollcall to another: which other
# accounts may put events, the archive for replays, and the schema's registry.
TYPES = {
    "AWS::Events::Archive",
    "AWS::Events::EventBusPolicy",
    "AWS::EventSchemas::Registry",
    "AWS::EventSchemas::Schema",
}


def without(template):
    """The text of a template without the resources of those types."""
    parts = re.split(r"(?m)^(?=(?:  )?\w+:$)", template)
    left_out = lambda part: (of := re.match(r"  \w+:\n    Type: (\S+)\n", part)) and of[1] in TYPES
    return "".join(part for part in parts if not left_out(part))
