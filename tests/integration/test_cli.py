"""The command line as such: help, version, usage errors."""

import json
import unittest

from tests.lib.harness import run

COMMANDS = ("up", "metadata", "gateway", "run", "env", "token", "inspect", "matrix", "why",
            "logs", "test", "reset", "learn", "replay", "doctor", "check", "keys", "ca", "gcloud",
            "export", "import", "diff", "lesson", "echo", "version", "help")


class Help(unittest.TestCase):
    def test_help_lists_every_command(self):
        status, out, err = run("help")
        self.assertEqual((status, err), (0, ""))
        listed = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
        self.assertEqual(tuple(listed), COMMANDS)

    def test_every_command_explains_itself(self):
        for command in COMMANDS:
            with self.subTest(command):
                status, out, err = run(command, "--help")
                self.assertEqual((status, err), (0, ""))
                self.assertTrue(out.startswith(f"Usage: invoker {command} [OPTION]..."), out)
                self.assertIn("-h, --help", out)
                self.assertEqual(run("help", command), (0, out, ""))

    def test_no_command_is_a_usage_error(self):
        status, out, err = run()
        self.assertEqual((status, out), (2, ""))
        self.assertIn("Usage: invoker COMMAND", err)

    def test_an_unknown_command_is_refused_with_the_nearest_one(self):
        for words in (["metdata"], ["help", "metdata"]):
            with self.subTest(words):
                status, out, err = run(*words)
                self.assertEqual((status, out), (2, ""))
                self.assertIn("unknown command 'metdata'; did you mean 'metadata'?", err)


class Version(unittest.TestCase):
    def test_text_and_json(self):
        self.assertEqual(run("version"), (0, "invoker 0.1.0", ""))
        self.assertEqual(run("--version"), (0, "invoker 0.1.0", ""))
        status, out, _ = run("version", "--output", "json")
        self.assertEqual((status, json.loads(out)), (0, {"name": "invoker", "version": "0.1.0"}))

    def test_another_output_is_refused(self):
        status, out, err = run("version", "--output=xml")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("--output is 'text' or 'json', not 'xml'", err)


class Options(unittest.TestCase):
    def refused(self, wanted, *words):
        status, out, err = run(*words)
        self.assertEqual((status, out), (2, ""), err)
        self.assertIn(wanted, err)
        self.assertIn(f"Try 'invoker {words[0]} --help'.", err)

    def test_an_unknown_option_names_the_nearest_one(self):
        self.refused("unknown option '--jsn'; did you mean '--json'?", "up", "--jsn")
        self.refused("unknown option '--ephemeral-port'; did you mean '--ephemeral-ports'?",
                     "up", "--ephemeral-port")
        self.refused("unknown option '-z'", "up", "-z")

    def test_a_missing_value_is_told(self):
        self.refused("--config wants a value: --config FILE", "up", "-c")
        self.refused("--config wants a value: --config FILE", "up", "--config", "--", "true")

    def test_a_flag_takes_no_value(self):
        self.refused("--json takes no value", "up", "--json=yes")

    def test_numbers_are_checked(self):
        self.refused("--ready-timeout wants a whole number, not '1s'", "up", "--ready-timeout=1s")
        self.refused("--ready-timeout is a number of seconds", "up", "--ready-timeout", "0")
        self.refused("--port is a number from 1 to 65535", "run", "--port=65536", "a", "--", "b")

    def test_operands_are_checked(self):
        self.refused("unexpected operand 'frontend'", "up", "frontend")
        self.refused("'--' wants a command behind it", "up", "--")
        self.refused("expected one SERVICE and '--' with a command behind it", "run", "frontend")
        self.refused("expected one SERVICE", "env")
        self.refused("expected one SERVICE", "env", "a", "b")

    def test_a_log_format_is_text_or_json(self):
        status, _, err = run("up", "-c", "policies/minimal.yaml", "--log-format", "xml")
        self.assertNotEqual(status, 0)
        self.assertIn("--log-format is 'text' or 'json', not 'xml'", err)


class Topology(unittest.TestCase):
    def test_a_missing_file_is_named(self):
        for command in (["up"], ["env"]):
            with self.subTest(command):
                operand = ["frontend"] if command == ["env"] else []
                status, out, err = run(*command, "-c", "no/such.yaml", *operand)
                self.assertEqual((status, out), (2, ""))
                self.assertIn("no/such.yaml", err)

    def test_the_variable_names_the_file_when_no_option_does(self):
        status, _, err = run("env", "frontend", env={"INVOKER_CONFIG": "no/other.yaml"})
        self.assertEqual(status, 2)
        self.assertIn("no/other.yaml", err)


if __name__ == "__main__":
    unittest.main()
