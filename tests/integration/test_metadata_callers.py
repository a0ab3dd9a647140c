"""Who is calling: own listeners, source addresses, names, --as; and what a reload changes."""

import signal

from tests.lib.harness import (Client, Process, Topology, closed_port, http, run, sanitized,
                               wait_until)
from tests.lib.metadata import (BACKEND, DEFAULT, EMAIL, FLAVOR, SA, V1, MetadataCase, shared_keys,
                                topology)

EMAIL_PATH = f"{SA}/default/email"


def email(address, source=None):
    response = http("GET", f"http://{address}{EMAIL_PATH}", FLAVOR, source=source)
    assert response.status == 200, response
    return response.text


class Listeners(MetadataCase):
    content = topology(services={
        "frontend": {"addresses": ["127.30.8.0/24", "127.30.9.1"]},
        "backend-api": {"addresses": ["127.30.0.0/16", "127.30.8.77"]}})

    def test_each_service_has_its_own_listener(self):
        self.assertEqual(email(self.topology.address("frontend", "metadata")), EMAIL)
        self.assertEqual(email(self.topology.address("backend-api", "metadata")), BACKEND)

    def test_an_own_listener_does_not_look_at_the_address(self):
        self.assertEqual(email(self.address, "127.30.0.1"), EMAIL)

    def test_the_shared_listener_tells_callers_apart_by_source_address(self):
        for source, expected in (("127.30.8.5", EMAIL), ("127.30.9.1", EMAIL),
                                 ("127.30.9.2", BACKEND), ("127.30.1.1", BACKEND),
                                 ("127.30.8.77", BACKEND)):
            self.assertEqual(email(self.shared, source), expected, source)

    def test_an_unmapped_caller_gets_the_default_compute_account_and_a_hint_in_the_log(self):
        self.assertEqual(email(self.shared, "127.31.0.9"), DEFAULT)
        self.process.wait_for_line(lambda line: "127.31.0.9" in line and DEFAULT in line)

    def test_one_keep_alive_connection_keeps_its_identity(self):
        client = Client(self.shared, source="127.30.8.9")
        self.addCleanup(client.close)
        for _ in range(3):
            client.request("GET", EMAIL_PATH, FLAVOR)
            self.assertEqual(client.read().text, EMAIL)

    def test_another_account_s_tokens_cannot_be_asked_for(self):
        for path in ("token", "identity?audience=x", "email"):
            self.assertEqual(self.ask(f"{SA}/{BACKEND}/{path}").status, 404)


class Names(MetadataCase):
    content = topology(services={"frontend": {"addresses": ["localhost"]},
                                 "backend-api": {"addresses": ["no-such-name.invalid"]}})

    def test_a_name_is_resolved_when_somebody_unknown_asks(self):
        self.assertEqual(email(self.shared, "127.0.0.1"), EMAIL)

    def test_a_probe_of_the_root_does_not_wait_for_names(self):
        self.assertEqual(http("GET", f"http://{self.shared}/").status, 200)


class As(MetadataCase):
    extra = ["--as", "backend-api"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.address = cls.topology.address("backend-api", "metadata")

    def test_everybody_is_that_service(self):
        self.assertEqual(email(self.address), BACKEND)
        self.assertEqual(email(self.address, "127.9.9.9"), BACKEND)

    def test_nothing_else_listens(self):
        with self.assertRaises(ConnectionRefusedError):
            email(self.shared)


class Reload(MetadataCase):
    def setUp(self):
        self.write(topology())

    def write(self, content):
        self.topology.write(content)
        self.process.send_signal(signal.SIGHUP)

    def project(self, name):
        return topology(project={"id": name, "number": 123456789012})

    def wait_value(self, path, expected, address=None):
        wait_until(lambda: self.value(path, address) == expected, what=f"{path} = {expected}")

    def test_a_changed_file_is_noticed_without_a_signal(self):
        self.topology.write(self.project("by-inotify"))
        self.wait_value(f"{V1}/project/project-id", "by-inotify")

    def test_sighup_reloads(self):
        self.write(self.project("by-sighup"))
        self.wait_value(f"{V1}/project/project-id", "by-sighup")

    def test_a_broken_file_leaves_the_last_good_one_in_force(self):
        before = len(self.process.err.all())
        self.write("services: [")
        wait_until(lambda: any("topology.yaml" in line for line in self.process.err.all()[before:]))
        self.assertEqual(self.value(f"{V1}/project/project-id"), "my-project")

    def test_listeners_come_and_go_while_the_others_stay(self):
        stays = self.client()
        stays.request("GET", EMAIL_PATH, FLAVOR)
        self.assertEqual(stays.read().text, EMAIL)
        new = self.topology.ephemeral("auth", "listen", "metadata")
        self.write(topology(services={"auth": {"service_account": "backend-sa"}}))
        wait_until(lambda: self.reachable(new), what="the new listener")
        self.assertEqual(email(new), BACKEND)
        self.write(topology())
        wait_until(lambda: not self.reachable(new), what="the listener to go")
        stays.request("GET", EMAIL_PATH, FLAVOR)
        self.assertEqual(stays.read().text, EMAIL)

    def reachable(self, address):
        try:
            Client(address).close()
        except ConnectionRefusedError:
            return False
        return True

    def test_a_service_that_changes_its_account_changes_its_identity(self):
        self.write(topology(services={"frontend": {"service_account": "backend-sa"}}))
        self.wait_value(EMAIL_PATH, BACKEND)

    # ---- wait_for_change ----

    def wait_for_change(self, query="", path=f"{V1}/project/project-id"):
        client = self.client()
        client.request("GET", f"{path}?wait_for_change=true{query}", FLAVOR)
        return client

    def test_a_waiting_request_is_answered_by_the_change(self):
        etag = self.ask(f"{V1}/project/project-id").header("ETag")
        waiting = [self.wait_for_change(), self.wait_for_change(f"&last_etag={etag}"),
                   self.wait_for_change("&recursive=true", f"{V1}/project/")]
        self.assertEqual(self.value(EMAIL_PATH), EMAIL)  # they hold up nobody
        self.write(self.project("changed"))
        first, second, tree = (client.read() for client in waiting)
        self.assertEqual((first.status, first.text), (200, "changed"))
        self.assertEqual((second.status, second.text), (200, "changed"))
        self.assertNotEqual(first.header("ETag"), etag)
        self.assertIn('"projectId":"changed"', tree.text)

    def test_a_change_of_something_else_does_not_answer(self):
        waiting = self.wait_for_change("&timeout_sec=20", f"{V1}/instance/region")
        self.write(self.project("other-project"))
        self.wait_value(f"{V1}/project/project-id", "other-project")
        waiting.sock.setblocking(False)
        with self.assertRaises(BlockingIOError):
            waiting.sock.recv(1)

    def test_a_foreign_etag_answers_at_once(self):
        for etag in ("0", "abc", "0123456789abcdef"):
            self.assertEqual(self.wait_for_change(f"&last_etag={etag}").read().text, "my-project")

    def test_a_timeout_answers_the_current_value(self):
        response = self.wait_for_change("&timeout_sec=0").read()
        self.assertEqual((response.status, response.text), (200, "my-project"))
        response = self.wait_for_change("&timeout_sec=1").read()
        self.assertEqual((response.status, response.text), (200, "my-project"))

    def test_a_listing_cannot_be_waited_for_and_a_timeout_is_a_number(self):
        for path in (f"{V1}/project/?wait_for_change=true",
                     f"{V1}/project/project-id?wait_for_change=true&timeout_sec=x"):
            self.assertEqual(self.ask(path).status, 400)

    def test_a_client_that_leaves_while_waiting_is_forgotten(self):
        for _ in range(20):
            self.wait_for_change().close()
        self.write(self.project("gone-project"))
        self.wait_value(f"{V1}/project/project-id", "gone-project")


class Lives(MetadataCase):
    """The process itself: starting, stopping, refusing to start."""

    def start(self, *more, content=None):
        t = Topology(content or topology(), keys=shared_keys())
        self.addCleanup(t.close)
        t.shared()
        for name in ("frontend", "backend-api"):
            t.ephemeral(name, "listen", "metadata")
        p = Process("metadata", *t.args(), "--keys", t.keys, *more, ready_fd=True)
        self.addCleanup(p.kill)
        return t, p

    def test_sigterm_and_sigint_stop_within_a_second_with_exit_0(self):
        for signo in (signal.SIGTERM, signal.SIGINT):
            t, p = self.start()
            p.wait_ready()
            waiting = Client(t.address("frontend", "metadata"))
            self.addCleanup(waiting.close)
            waiting.request("GET", f"{V1}/project/project-id?wait_for_change=true", FLAVOR)
            self.assertEqual(email(t.address("frontend", "metadata")), EMAIL)
            self.assertEqual(p.stop(timeout=1.5, signo=signo), 0)
            self.assertEqual(waiting.read().status, 503)

    def test_an_idle_process_is_small(self):
        self.assertEqual(self.value(EMAIL_PATH), EMAIL)
        if not sanitized():
            self.assertLess(self.process.rss_kib(), 10 * 1024)

    def test_a_busy_port_names_the_address_and_what_to_change(self):
        t = Topology(topology(), keys=shared_keys())
        self.addCleanup(t.close)
        for content, listen, words in (
                (topology(services={"frontend": {"metadata": self.address}}),
                 None, ["'metadata:' of service 'frontend'", self.address]),
                (topology(listen={"metadata": self.shared}), None,
                 ["'metadata:' under 'listen:'", self.shared]),
                (topology(), self.address, ["--listen", self.address])):
            t.write(content)
            more = ["--listen", listen] if listen else []
            status, _, err = run("metadata", "-c", t.path, "--keys", t.keys, *more)
            self.assertEqual(status, 1, err)
            for word in words:
                self.assertIn(word, err)

    def test_listen_and_as_make_a_sidecar(self):
        t = Topology(topology(), keys=shared_keys())
        self.addCleanup(t.close)
        address = f"127.0.0.1:{closed_port()}"
        with Process("metadata", "-c", t.path, "--keys", t.keys, "--as", "backend-api", "--listen",
                     address, ready_fd=True) as p:
            p.wait_ready()
            self.assertEqual(email(address), BACKEND)
            self.assertEqual(p.stop(), 0)

    def test_an_unknown_service_for_as_is_refused_with_a_suggestion(self):
        status, _, err = run("metadata", "-c", self.topology.path, "--keys", self.topology.keys,
                             "--as", "frontent")
        self.assertEqual(status, 2)
        self.assertIn("did you mean 'frontend'?", err)

    def test_a_broken_topology_is_refused_with_its_place(self):
        _, p = self.start(content={"project": {"id": "p"}, "servises": {}})
        self.assertEqual(p.wait(), 2)
        self.assertRegex(p.err.text(), r"topology\.yaml:\d+:\d+: ")

    def test_wrong_usage_is_exit_status_2(self):
        for args in (["--nonsense"], ["operand"], ["--ready-fd", "x"], ["--log-format", "xml"]):
            status, out, err = run("metadata", "-c", self.topology.path, *args)
            self.assertEqual((status, out), (2, ""), err)

    def test_an_unreadable_keys_folder_is_named(self):
        status, _, err = run("metadata", "-c", self.topology.path, "--listen", "127.0.0.1:0",
                             "--keys", "/proc/nowhere/keys")
        self.assertEqual(status, 1)
        self.assertIn("/proc/nowhere", err)

    def test_many_waiting_clients_do_not_starve_a_new_one(self):
        clients = [Client(self.address) for _ in range(300)]
        for client in clients:
            self.addCleanup(client.close)
            client.request("GET", f"{V1}/?recursive=true&wait_for_change=true", FLAVOR)
        self.assertEqual(self.value(EMAIL_PATH), EMAIL)
