"""Verifies letters with PyPI's `standardwebhooks`, and has it refuse forgeries:
webhooks_say.py LETTERS accept|refuse
"""

import datetime
import json
import sys
from unittest import mock

from standardwebhooks import webhooks
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def accepts(secret, body, headers, minutes=0):
    """Whether it is accepted by a verifier whose clock is so many minutes off."""

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.now(tz) + datetime.timedelta(minutes=minutes)

    with mock.patch.object(webhooks, "datetime", Clock):
        try:
            Webhook(secret).verify(body, headers)
            return True
        except WebhookVerificationError:
            return False


def flipped(text, at):
    """With the lowest bit of the byte at this place the other way."""
    changed = bytearray(text.encode())
    changed[at] ^= 1
    return changed.decode("latin-1")


def main():
    letters, verdict = json.load(open(sys.argv[1])), sys.argv[2]
    for letter in letters:
        headers, body = letter["headers"], letter["body"]
        assert headers["content-type"] == "application/cloudevents+json", headers
        event = json.loads(body)
        assert event["specversion"] == "1.0" and event["id"] == headers["webhook-id"], event
        assert len(body.encode()) <= 20_000
        assert all(name.isalnum() and name.islower() for name in event), list(event)
        for secret in letter["secrets"]:
            if verdict == "refuse":
                if accepts(secret, body, headers):
                    sys.exit(f"accepted: {headers}")
                continue
            if not accepts(secret, body, headers):
                sys.exit(f"refused: {headers} {body}")
            for minutes in (6, -6):
                if accepts(secret, body, headers, minutes):
                    sys.exit(f"accepted {minutes} minutes off")
            length = len(body.encode())
            for n in range(32):
                at = n * (length - 1) // 31
                if accepts(secret, flipped(body, at), headers):
                    sys.exit(f"accepted with a bit flipped at {at}: {body}")
            other = headers | {"webhook-id": flipped(headers["webhook-id"], 0)}
            if accepts(secret, body, other):
                sys.exit("accepted with another id")
    print(f"{len(letters)} letters: PyPI's verifier does {verdict} them, and refuses forgeries")


main()
