"""Holds events against their published schemas with `jsonschema`."""

import collections
import json
import sys

import jsonschema

told = json.load(open(sys.argv[1]))
schemas = told["schemas"]
jsonschema.Draft202012Validator.check_schema(schemas)
validator = jsonschema.Draft202012Validator(
    schemas, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
counted = collections.Counter()
for event in told["events"]:
    wrong = jsonschema.exceptions.best_match(validator.iter_errors(event))
    if wrong is not None:
        sys.exit(f"{event['type']} at {event['position']}: {wrong.message} in {wrong.json_path}")
    # A schema that takes anything would show nothing.
    for missing in ("id", "position", "previous", "subject", "data"):
        less = {name: value for name, value in event.items() if name != missing}
        if validator.is_valid(less):
            sys.exit(f"{event['type']} is valid without {missing}")
    if validator.is_valid(event | {"type": "user.painted"}):
        sys.exit("a type that does not exist is valid")
    counted[event["type"]] += 1
print(f"{sum(counted.values())} events of {len(counted)} types are what the schema says")
if len(counted) < 8:
    sys.exit(f"too few types: {dict(counted)}")
