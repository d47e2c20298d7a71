"""Verifies letters with `standardwebhooks`, and has it refuse forgeries."""

import datetime
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def accepts(secret, body, headers):
    try:
        Webhook(secret).verify(body, headers)
        return True
    except WebhookVerificationError:
        return False


def main():
    letters = json.load(open(sys.argv[1]))
    for letter in letters:
        headers, body = letter["headers"], letter["body"]
        assert headers["content-type"] == "application/cloudevents+json", headers
        event = json.loads(body)
        assert event["specversion"] == "1.0" and event["id"] == headers["webhook-id"], event
        assert len(body.encode()) <= 20_000
        assert all(name.isalnum() and name.islower() for name in event), list(event)
        for secret in letter["secrets"]:
            if not accepts(secret, body, headers):
                sys.exit(f"refused: {headers} {body}")
            forged = {
                "a bit": (body.replace('"1.0"', '"1.1"', 1), headers),
                "an id": (body, headers | {"webhook-id": "0" + headers["webhook-id"][1:] + "0"}),
                "a time": (body, headers | {"webhook-timestamp": late(headers)}),
                "a signature": (body, headers | {"webhook-signature": "v1,AAAA"}),
            }
            for what, (body_, headers_) in forged.items():
                if accepts(secret, body_, headers_):
                    sys.exit(f"{what} was changed, and it was accepted: {headers_} {body_}")
            other = "whsec_" + secret.removeprefix("whsec_")[::-1].replace("=", "") + "="
            if accepts(other, body, headers):
                sys.exit("another secret was accepted")
    print(f"{len(letters)} letters are verified, and forgeries of each refused")


def late(headers):
    """Six minutes off; whoever verifies allows five."""
    moment = datetime.datetime.fromtimestamp(int(headers["webhook-timestamp"]))
    return str(int((moment - datetime.timedelta(minutes=6)).timestamp()))


main()
