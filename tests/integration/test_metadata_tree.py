"""What stands where: every path that Cloud Run serves, listings, redirects, query options."""

import json
import re

from tests.lib.metadata import BACKEND, EMAIL, FLAVOR, SA, SCOPE, V1, MetadataCase

TEXT = "application/text"
VALUES = [
    (f"{V1}/project/project-id", "my-project", TEXT),
    (f"{V1}/project/numeric-project-id", "123456789012", TEXT),
    (f"{V1}/instance/region", "projects/123456789012/regions/us-central1", TEXT),
    (f"{V1}/instance/zone", "projects/123456789012/zones/us-central1-1", TEXT),
    (f"{SA}/default/email", EMAIL, TEXT),
    (f"{SA}/{EMAIL}/email", EMAIL, TEXT),
    (f"{SA}/{EMAIL.replace('@', '%40')}/email", EMAIL, TEXT),
    (f"{SA}/default/aliases", "default", TEXT),
    (f"{SA}/default/scopes", SCOPE + "\n", TEXT),
    (f"{V1}/universe/universe-domain", "googleapis.com", "text/plain"),
    ("/", "computeMetadata/\n", TEXT),
    ("/computeMetadata/", "v1/\n", TEXT),
    (f"{V1}/", "instance/\nproject/\nuniverse/\n", TEXT),
    (f"{V1}/instance/", "id\nregion\nservice-accounts/\nzone\n", TEXT),
    (f"{V1}/project/", "numeric-project-id\nproject-id\n", TEXT),
    (f"{SA}/", f"{EMAIL}/\ndefault/\n", TEXT),
    (f"{SA}/default/", "aliases\nemail\nidentity\nscopes\ntoken\n", TEXT),
    (f"{SA}/{EMAIL}/", "aliases\nemail\nidentity\nscopes\ntoken\n", TEXT),
]
ABSENT = [
    f"{V1}/universe/universe_domain", f"{V1}/instance/name", f"{V1}/instance/hostname",
    f"{V1}/instance/attributes/", f"{V1}/instance/attributes/cluster-name",
    f"{V1}/project/attributes/", f"{V1}/project/attributes/x",
    f"{V1}/instance/network-interfaces/", f"{V1}/instance/network-interfaces/0/ip",
    f"{V1}/instance/platform-security/auto-mtls-configuration", "/0.1/", "/0.1/meta-data/",
    "/computeMetadata/v1beta1/", f"{V1}/project/project-id/", f"{V1}//project/project-id",
    f"{SA}/{BACKEND}/token", f"{SA}/{BACKEND}/", f"{SA}/nobody@x/email", f"{SA}//token", "/x",
]
DIRECTORIES = ["/computeMetadata", V1, f"{V1}/instance", f"{V1}/project", f"{V1}/universe", SA,
               f"{SA}/default", f"{SA}/{EMAIL}"]


class Tree(MetadataCase):
    def test_values_and_listings_have_the_documented_body_and_content_type(self):
        for path, body, content_type in VALUES:
            with self.subTest(path):
                response = self.ask(path)
                self.assertEqual((response.status, response.text), (200, body))
                self.assertEqual(response.header("Content-Type"), content_type)

    def test_an_instance_id_is_long_lower_case_hex(self):
        value = self.value(f"{V1}/instance/id")
        self.assertRegex(value, r"\A00[0-9a-f]{128}\Z")
        self.assertEqual(value, self.value(f"{V1}/instance/id"))
        other = self.value(f"{V1}/instance/id", self.topology.address("backend-api", "metadata"))
        self.assertNotEqual(value, other)

    def test_unknown_paths_answer_404_with_google_s_page(self):
        for path in ABSENT:
            with self.subTest(path):
                response = self.ask(path)
                self.assertEqual(response.status, 404)
                self.assertEqual(response.header("Content-Type"), "text/html; charset=UTF-8")
                self.assertEqual(response.header("Metadata-Flavor"), "Google")
                self.assertIn("<title>Error 404 (Not Found)!!1</title>", response.text)
                self.assertIn(f"<code>{path}</code>", response.text)
                self.assertEqual(len(response.body), 1560 + len(path))

    def test_the_404_page_escapes_the_path(self):
        self.assertIn("<code>/&lt;b&gt;&amp;</code>", self.ask("/<b>&").text)

    def test_a_404_keeps_the_connection(self):
        client = self.client()
        for _ in range(3):
            client.request("GET", "/x", FLAVOR)
            self.assertEqual(client.read().status, 404)

    def test_a_directory_without_its_slash_is_redirected_to_the_same_host_and_port(self):
        for path in DIRECTORIES:
            with self.subTest(path):
                response = self.ask(path)
                self.assertEqual(response.status, 301)
                self.assertEqual(response.header("Location"), f"http://{self.address}{path}/")
                self.assertEqual(response.header("Content-Type"), "text/html")
                self.assertEqual(response.header("Metadata-Flavor"), "Google")
                self.assertEqual(response.text, path + "/\n")

    def test_a_redirect_keeps_the_query_behind_the_slash(self):
        response = self.ask(f"{V1}?recursive=true")
        self.assertEqual(response.header("Location"),
                         f"http://{self.address}{V1}/?recursive=true")

    def test_a_redirect_is_built_from_the_host_header(self):
        response = self.ask(V1, {"Host": "metadata.google.internal", **FLAVOR})
        self.assertEqual(response.header("Location"), f"http://metadata.google.internal{V1}/")


class Query(MetadataCase):
    def json(self, path):
        response = self.ask(path)
        self.assertEqual(response.status, 200)
        self.assertEqual(response.header("Content-Type"), "application/json")
        return json.loads(response.body)

    def test_recursive_on_an_account_is_what_client_libraries_read(self):
        for name in ("default", EMAIL):
            response = self.ask(f"{SA}/{name}/?recursive=true")
            self.assertEqual(response.text, '{"aliases":["default"],"email":"%s","scopes":["%s"]}'
                             % (EMAIL, SCOPE))
            self.assertEqual(response.header("Content-Type"), "application/json")

    def test_recursive_at_the_top_has_camel_case_keys_and_no_tokens(self):
        tree = self.json(f"{V1}/?recursive=true")
        self.assertEqual(list(tree), ["instance", "project", "universe"])
        self.assertEqual(list(tree["instance"]), ["id", "region", "serviceAccounts", "zone"])
        self.assertEqual(tree["project"],
                         {"numericProjectId": 123456789012, "projectId": "my-project"})
        accounts = tree["instance"]["serviceAccounts"]
        self.assertEqual(sorted(accounts), ["default", EMAIL])
        self.assertEqual(sorted(accounts["default"]), ["aliases", "email", "scopes"])

    def test_recursive_has_a_known_content_length(self):
        response = self.ask(f"{V1}/?recursive=true")
        self.assertEqual(int(response.header("Content-Length")), len(response.body))
        self.assertIsNone(response.header("Transfer-Encoding"))

    def test_recursive_on_a_leaf_stays_raw_text(self):
        for path, body in ((f"{V1}/universe/universe-domain", "googleapis.com"),
                           (f"{V1}/project/project-id", "my-project"),
                           (f"{SA}/default/scopes", SCOPE + "\n")):
            response = self.ask(path + "?recursive=true")
            self.assertEqual(response.text, body)
            self.assertNotEqual(response.header("Content-Type"), "application/json")

    def test_recursive_alt_text_is_one_path_and_value_a_line(self):
        response = self.ask(f"{V1}/project/?recursive=true&alt=text")
        self.assertEqual(response.text,
                         "numeric-project-id 123456789012\nproject-id my-project\n")
        self.assertEqual(response.header("Content-Type"), "application/text")
        self.assertIn(f"instance/service-accounts/default/scopes {SCOPE}\n",
                      self.value(f"{V1}/?recursive=true&alt=text"))

    def test_alt_json_on_a_leaf_is_json(self):
        self.assertEqual(self.json(f"{V1}/project/project-id?alt=json"), "my-project")
        self.assertEqual(self.json(f"{V1}/project/numeric-project-id?alt=json"), 123456789012)
        self.assertEqual(self.json(f"{SA}/default/scopes?alt=json"), [SCOPE])

    def test_alt_text_on_a_json_value_is_one_item_a_line(self):
        lines = self.value(f"{SA}/default/token?alt=text").splitlines()
        self.assertEqual([line.split(" ")[0] for line in lines],
                         ["access_token", "expires_in", "token_type"])

    def test_unknown_parameters_are_ignored(self):
        self.assertEqual(self.value(f"{V1}/project/project-id?transport=mtls&x=y&recursive"),
                         "my-project")

    def test_an_etag_is_16_hex_digits_on_values_and_listings(self):
        for path in (f"{V1}/project/project-id", f"{V1}/instance/", f"{V1}/?recursive=true", "/"):
            response = self.ask(path)
            self.assertTrue(re.fullmatch("[0-9a-f]{16}", response.header("ETag")), path)
            self.assertIn("ETag", response.names)
            self.assertEqual(response.header("ETag"), self.ask(path).header("ETag"))

    def test_token_and_identity_have_no_etag(self):
        for path in ("token", "identity?audience=x"):
            self.assertIsNone(self.ask(f"{SA}/default/{path}").header("ETag"))
