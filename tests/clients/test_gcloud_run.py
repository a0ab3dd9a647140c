"""gcloud, unmodified: `gcloud run …` against a gateway and a metadata server."""

import json
import re
import unittest

from tests.clients.gcloud_case import GcloudCase
from tests.lib.gateway import email
from tests.lib.rawhttp import http

IMAGE = "us-central1-docker.pkg.dev/my-project/repo/shop:v1"


class GcloudRun(GcloudCase):
    group = ("run",)

    def value(self, name, field):
        return self.gcloud("services", "describe", name, f"--format=value({field})")[0].strip()

    def test_a_service_s_life(self):
        _, said = self.gcloud("deploy", "shop", f"--image={IMAGE}",
                              f"--service-account={email('frontend-sa')}",
                              "--set-env-vars=A=1,B=two", "--no-allow-unauthenticated")
        self.assertRegex(said, r"Service \[shop\] revision \[shop-00001-[a-z]{3}\] has been "
                               r"deployed and is serving 100 percent of traffic\.")
        url = self.value("shop", "status.url")
        self.assertIn(f"Service URL: {url}", said)

        _, said = self.gcloud("deploy", "shop", f"--image={IMAGE}2", "--allow-unauthenticated")
        self.assertRegex(said, r"Setting IAM Policy.*done")
        self.assertIn("shop-00002-", said)
        policy = json.loads(self.gcloud("services", "get-iam-policy", "shop", "--format=json")[0])
        self.assertEqual(policy["bindings"],
                         [{"members": ["allUsers"], "role": "roles/run.invoker"}])

        _, said = self.gcloud("services", "update", "shop", "--ingress=internal",
                              "--no-invoker-iam-check")
        self.assertIn("Service [shop] has been updated.", said)

        _, said = self.gcloud("services", "update", "shop", "--update-env-vars=C=3",
                              "--timeout=60", "--concurrency=10", "--max-instances=3", "--cpu=2",
                              "--memory=1Gi", "--use-http2", "--port=9000", "--labels=team=a",
                              "--add-custom-audiences=https://shop.example")
        self.assertIn("shop-00003-", said)
        described = self.gcloud("services", "describe", "shop")[0]
        for line in (r"Service shop in region us-central1", r"URL: +" + re.escape(url),
                     r"Ingress: +internal", r"100% LATEST \(currently shop-00003-",
                     r"Memory: +1Gi", r"Port: +9000", r"C +3", r"Concurrency: +10",
                     r"Timeout: +60s", r"HTTP/2 Enabled: +Enabled",
                     r"Service account: +frontend-sa@my-project"):
            self.assertRegex(described, line)

        revisions = self.gcloud("revisions", "list", "--service=shop",
                                "--format=value(metadata.name)")[0].split()
        self.assertEqual(len(revisions), 3)
        self.assertIn("Image:", self.gcloud("revisions", "describe", revisions[-1])[0])
        printed, _ = self.gcloud("services", "update-traffic", "shop",
                                 f"--to-revisions={revisions[1]}=30,LATEST=70")
        self.assertIn(f"30% {revisions[1]}", printed)
        self.assertIn(f"Revision '{revisions[1]}' cannot be deleted: it is the latest of service "
                      "'shop' or receives traffic.",
                      self.refused("revisions", "delete", revisions[1]))
        self.gcloud("revisions", "delete", revisions[2])

        self.gcloud("services", "delete", "shop")
        self.assertIn("Cannot find service [shop]", self.refused("services", "describe", "shop"))

    def test_a_policy_is_read_changed_and_written_with_its_conditions(self):
        self.gcloud("deploy", "guarded", f"--image={IMAGE}", "--no-allow-unauthenticated")
        url = self.value("guarded", "status.url")
        change = (f"--member=serviceAccount:{email('frontend-sa')}", "--role=roles/run.invoker")
        bearer = self.g.bearer(account="frontend-sa", audience=url)

        def condition(year):
            return (f"--condition=title=until {year},"
                    f"expression=request.time < timestamp('{year}-01-01T00:00:00Z')")

        self.gcloud("services", "add-iam-policy-binding", "guarded", *change, condition(2020))
        self.assertEqual(http("GET", url, bearer).status, 403)
        self.gcloud("services", "add-iam-policy-binding", "guarded", *change, condition(2400))
        self.assertEqual(http("GET", url, bearer).status, 503)
        stale = self.gcloud("services", "get-iam-policy", "guarded", "--format=json")[0]
        policy = json.loads(stale)
        self.assertEqual([b["condition"]["title"] for b in policy["bindings"]],
                         ["until 2020", "until 2400"])
        self.assertEqual(policy["version"], 3)
        self.gcloud("services", "remove-iam-policy-binding", "guarded", *change, condition(2400))
        self.assertEqual(http("GET", url, bearer).status, 403)
        file = self.folder / "policy.json"
        file.write_text(stale, encoding="utf-8")
        self.assertIn("ABORTED: There were concurrent policy changes.",
                      self.refused("services", "set-iam-policy", "guarded", str(file)))
        del policy["etag"]
        file.write_text(json.dumps(policy), encoding="utf-8")
        self.gcloud("services", "set-iam-policy", "guarded", str(file))
        self.assertEqual(http("GET", url, bearer).status, 503)

    def test_a_file_replaces_what_was_exported(self):
        self.gcloud("deploy", "kept", f"--image={IMAGE}", "--no-allow-unauthenticated")
        text = self.gcloud("services", "describe", "kept", "--format=export")[0]
        file = self.folder / "kept.yaml"
        file.write_text(text.replace("timeoutSeconds: 300", "timeoutSeconds: 61"),
                        encoding="utf-8")
        _, said = self.gcloud("services", "replace", str(file), "--dry-run")
        self.assertIn("has been validated", said)
        self.assertEqual(self.value("kept", "spec.template.spec.timeoutSeconds"), "300")
        self.gcloud("services", "replace", str(file))
        self.assertEqual(self.value("kept", "spec.template.spec.timeoutSeconds"), "61")
        file.write_text(text.replace("name: kept\n", "name: copied\n"), encoding="utf-8")
        self.gcloud("services", "replace", str(file))
        self.assertEqual(self.value("copied", "metadata.generation"), "1")

    def test_services_of_the_file_are_listed_and_can_be_updated(self):
        self.assertIn(self.g.url("frontend"), self.gcloud("services", "list")[0])
        self.gcloud("services", "update", "frontend", "--update-env-vars=A=1")
        self.assertRegex(self.value("frontend", "status.latestReadyRevisionName"),
                         "^frontend-00002-")
        self.assertEqual(self.gcloud("services", "list", "--region=europe-west1")[0], "")
        self.assertEqual(self.gcloud("regions", "list")[0].split(), ["NAME", "us-central1"])

    def test_what_is_wrong_is_said_in_gcloud_s_words(self):
        deploy = ("deploy", "ghost", "--no-allow-unauthenticated")
        for words, args in (
                ("spec.template.spec.containers[0].env: The following reserved env names were "
                 "provided: PORT.", (*deploy, "--image=x", "--set-env-vars=PORT=1")),
                ("spec.template.spec.timeoutSeconds: Invalid value 4000",
                 (*deploy, "--image=x", "--timeout=4000")),
                ("Permission 'iam.serviceaccounts.actAs' denied on service account "
                 + email("ghost-sa"),
                 (*deploy, "--image=x", f"--service-account={email('ghost-sa')}")),
                ("'europe-west1' is not the region of this project here: --region=us-central1 is.",
                 (*deploy, "--image=x", "--region=europe-west1")),
                ("Images are neither built nor kept here, so nothing can be deployed from source",
                 (*deploy, f"--source={self.folder}")),
                ("unknown attribute 'request.foo'",
                 ("services", "add-iam-policy-binding", "frontend", "--member=user:a@example.com",
                  "--role=roles/run.invoker", "--condition=title=t,expression=request.foo < 3")),
                ("The member somebody is of an unknown type.",
                 ("services", "add-iam-policy-binding", "frontend", "--member=somebody",
                  "--role=roles/run.invoker")),
                ("Service [ghost] could not be found.",
                 ("services", "update", "ghost", "--timeout=5")),
                ("Service [ghost] could not be found.", ("services", "delete", "ghost"))):
            with self.subTest(words):
                self.assertIn(words, self.refused(*args))


if __name__ == "__main__":
    unittest.main()
