"""PyPI's Authlib as the foreign client: discovers, authenticates in three ways, calls SCIM."""

import json
import os
import sys

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT

asked = json.loads(os.environ["ASKED"])
base = asked["issuer"]


def session(how):
    client_id = asked["key_client"] if how == "private_key_jwt" else asked["client_id"]
    secret = asked["private_key"] if how == "private_key_jwt" else asked["client_secret"]
    return OAuth2Session(client_id, secret, token_endpoint_auth_method=how, scope="scim")


def call(how):
    client = session(how)
    metadata = client.get(f"{base}/.well-known/oauth-authorization-server", withhold_token=True).json()
    endpoint = metadata["token_endpoint"]
    if how == "private_key_jwt":
        client.register_client_auth_method(PrivateKeyJWT(endpoint))
    token = client.fetch_token(endpoint, grant_type="client_credentials")
    answer = client.get(f"{base}/scim/v2/Users")
    return {"life": token["expires_in"], "status": answer.status_code, "total": answer.json()["totalResults"]}


json.dump({how: call(how) for how in ("client_secret_basic", "client_secret_post", "private_key_jwt")}, sys.stdout)
