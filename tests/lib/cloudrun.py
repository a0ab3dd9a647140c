"""The Cloud Run Admin API as gcloud asks for it: through the control listener as an HTTP proxy, the
region in front of the host."""

import copy
import json

from tests.lib.gateway import NUMBER, PROJECT, REGION, email
from tests.lib.rawhttp import Client, http

SPACE = f"/apis/serving.knative.dev/v1/namespaces/{PROJECT}"
LOCATION = f"/v1/projects/{PROJECT}/locations/{REGION}"
V2 = f"/v2/projects/{PROJECT}/locations/{REGION}"
IMAGE = "us-central1-docker.pkg.dev/my-project/repo/shop:v1"


def access_token(metadata):
    """One of the account whose metadata server that is."""
    answer = http("GET", f"http://{metadata}/computeMetadata/v1/instance/service-accounts/default"
                         "/token", {"Metadata-Flavor": "Google"})
    assert answer.status == 200, answer.text
    return json.loads(answer.text)["access_token"]


def deploy(name="shop", account="frontend-sa", env=None, nonce="qwertyuiop", **annotations):
    """What `gcloud run deploy NAME --image --service-account --set-env-vars` sends for a new one;
    annotations: of the service, "ingress" for run.googleapis.com/ingress."""
    return {
        "apiVersion": "serving.knative.dev/v1", "kind": "Service",
        "metadata": {
            "name": name, "namespace": PROJECT, "labels": {},
            "annotations": {"run.googleapis.com/client-name": "gcloud",
                            "run.googleapis.com/client-version": "528.0.0",
                            **{"run.googleapis.com/" + k.replace("_", "-"): v
                               for k, v in annotations.items()}}},
        "spec": {"template": {
            "metadata": {"labels": {"client.knative.dev/nonce": nonce},
                         "annotations": {"run.googleapis.com/client-name": "gcloud",
                                         "run.googleapis.com/startup-cpu-boost": "True"}},
            "spec": {"serviceAccountName": email(account), "nodeSelector": {},
                     "containers": [{"name": "", "image": IMAGE,
                                     "env": [{"name": k, "value": v}
                                             for k, v in (env or {}).items()]}]}}},
        "status": {"address": {}}}


def put(document, path, value):
    """A copy with the value at that path ("spec/traffic/0/percent"); None takes away. Names that
    hold slashes are given as a list."""
    document = copy.deepcopy(document)
    *way, last = path if isinstance(path, list) else path.split("/")
    at = document
    for name in way:
        at = at[int(name)] if isinstance(at, list) else at.setdefault(name, {})
    if isinstance(at, list):
        at[int(last)] = value
    elif value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return document


class Api:
    """control: the listener's address; token: an access token, "" for none."""

    def __init__(self, control, token):
        self.control = control
        self.token = token

    def send(self, method, path, body=None, region=REGION, **more):
        """The answer as it is. region "": the global host. more: fields of the head."""
        host = (region + "-" if region else "") + "run.localhost:" + self.control.split(":")[-1]
        fields = {"host": host, "accept": "application/json", "accept-encoding": "gzip, deflate",
                  "user-agent": "google-cloud-sdk gcloud/528.0.0 command/gcloud.run.deploy"}
        if self.token:
            fields["authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            fields["content-type"] = "application/json"
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        elif method in ("GET", "POST"):
            fields["content-length"] = "0"
        fields.update(more)
        with Client(self.control) as client:
            client.request(method, f"http://{host}{path}", fields, data)
            return client.read()

    def ask(self, method, path, body=None, **more):
        """(status, the answer's JSON)"""
        answer = self.send(method, path, body, **more)
        return answer.status, json.loads(answer.text)

    def ok(self, method, path, body=None, **more):
        status, value = self.ask(method, path, body, **more)
        assert status == 200, (method, path, status, value)
        return value

    # ---- what gcloud does in one command ----

    def create(self, *args, **more):
        return self.ok("POST", f"{SPACE}/services?alt=json", deploy(*args, **more))

    def get(self, name):
        return self.ok("GET", f"{SPACE}/services/{name}?alt=json")

    def update(self, name, path, value):
        """GET, change, PUT."""
        return self.ok("PUT", f"{SPACE}/services/{name}?alt=json",
                       put(self.get(name), path, value))

    def grant(self, name, role, *members):
        where = f"{LOCATION}/services/{name}"
        policy = self.ok("GET", f"{where}:getIamPolicy?alt=json&options.requestedPolicyVersion=3",
                         region="")
        policy.setdefault("bindings", []).append({"role": role, "members": list(members)})
        policy["version"] = 3
        return self.ok("POST", f"{where}:setIamPolicy?alt=json", {"policy": policy}, region="")


__all__ = ["Api", "IMAGE", "LOCATION", "NUMBER", "SPACE", "V2", "access_token", "deploy", "put"]
