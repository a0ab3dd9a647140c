"""impersonate.py ENDPOINT TARGET [DELEGATE...]: an access token of TARGET by google-auth's
impersonated_credentials, the source being default credentials. Prints {"token", "expired",
"error"}."""

import json
import sys

import google.auth
import google.auth.exceptions
import google.auth.impersonated_credentials
import google.auth.transport.requests

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def main(endpoint, target, *delegates):
    source, _ = google.auth.default(scopes=[SCOPE])
    credentials = google.auth.impersonated_credentials.Credentials(
        source, target, [SCOPE], delegates=list(delegates) or None, lifetime=600,
        iam_endpoint_override=f"{endpoint}/v1/projects/-/serviceAccounts/{target}"
                              ":generateAccessToken")
    try:
        credentials.refresh(google.auth.transport.requests.Request())
    except google.auth.exceptions.RefreshError as e:
        return {"error": str(e)}
    return {"token": credentials.token, "expired": credentials.expired}


print(json.dumps(main(*sys.argv[1:])))
