"""Verifies security event tokens with `joserfc` as their standards have them, and refuses forgeries.

Written from RFC 8417, RFC 9967, CAEP 1.0 and Shared Signals 1.0 alone."""

import base64
import json
import sys

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

SCIM = "urn:ietf:params:scim:event:"
REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
KINDS = {
    SCIM + "prov:create:full": {"data"},
    SCIM + "prov:create:notice": {"attributes"},
    SCIM + "prov:patch:full": {"data"},
    SCIM + "prov:patch:notice": {"attributes"},
    SCIM + "prov:delete": set(),
    SCIM + "prov:activate": set(),
    SCIM + "prov:deactivate": set(),
    REVOKED: {"event_timestamp", "initiating_entity", "reason_admin"},
    VERIFICATION: set(),
}


def main():
    told = json.load(open(sys.argv[1]))
    keys = KeySet.import_key_set(told["keys"])
    for key in told["keys"]["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key), "a private key is published"
        assert len(base64.urlsafe_b64decode(key["n"] + "==")) * 8 >= 2048, key
    found = told["configuration"]
    assert found["spec_version"] == "1_0" and found["issuer"] == told["issuer"], found
    assert found["delivery_methods_supported"] == [told["method"]], found
    assert found["jwks_uri"].startswith(found["issuer"]), found
    for token in told["tokens"]:
        claims = read(token, keys)
        judge(claims, told["issuer"], told["audience"])
        refused(token, keys)
    print(f"{len(told['tokens'])} tokens are verified, and forgeries of each refused")


def read(token, keys):
    signed = jws.deserialize_compact(token, keys, algorithms=["RS256"])
    header = signed.headers()
    assert header["typ"] == "secevent+jwt" and header["kid"], header
    return json.loads(signed.payload)


def judge(claims, issuer, audience):
    assert claims["iss"] == issuer and claims["aud"] == audience, claims
    assert not {"sub", "exp"} & set(claims), claims
    assert isinstance(claims["iat"], int) and 10**9 < claims["iat"] < 10**10, "not in seconds"
    assert len(claims["events"]) == 1, "one event to a token"
    [(kind, says)] = claims["events"].items()
    assert set(says) == KINDS[kind], claims
    subject = claims["sub_id"]
    if kind == REVOKED:
        assert 0 <= claims["iat"] - says["event_timestamp"] < 60, claims
        assert says["reason_admin"] and all(says["reason_admin"].values()), claims
        person = subject["user"] if subject["format"] == "complex" else subject
        assert set(person) == {"format", "iss", "sub"} and person["format"] == "iss_sub", claims
    elif kind == VERIFICATION:
        assert set(subject) == {"format", "id"} and subject["format"] == "opaque", claims
        assert issuer.endswith("/" + subject["id"]), claims
    else:
        assert set(subject) == {"format", "uri"} and subject["format"] == "scim", claims
        assert subject["uri"].startswith(("/Users/", "/Groups/")), claims
    if kind != VERIFICATION:
        assert claims["txn"], claims


def refused(token, keys):
    header, payload, signature = token.split(".")
    plain = base64.urlsafe_b64encode(b'{"alg":"none","typ":"secevent+jwt"}').decode().rstrip("=")
    other = KeySet([RSAKey.generate_key(2048, {"kid": kid_of(header)})]) if not OTHER else OTHER[0]
    OTHER[:] = [other]
    forgeries = {
        "a claim": (f"{header}.{flip(payload)}.{signature}", keys),
        "the signature": (f"{header}.{payload}.{flip(signature)}", keys),
        "the algorithm": (f"{plain}.{payload}.", keys),
        "the key": (token, other),
    }
    for what, (forged, of) in forgeries.items():
        try:
            jws.deserialize_compact(forged, of, algorithms=["RS256"])
        except (JoseError, ValueError):
            continue
        sys.exit(f"{what} was changed, and it was accepted: {forged}")


# Made once: drawing a key takes a while.
OTHER = []


def kid_of(header):
    return json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]


def flip(text):
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]


main()
