"""who.py: what Application Default Credentials find; prints {"project", "email"}."""

import json

import google.auth
import google.auth.transport.requests

credentials, project = google.auth.default()
credentials.refresh(google.auth.transport.requests.Request())
print(json.dumps({"project": project, "email": credentials.service_account_email,
                  "token": bool(credentials.token)}))
