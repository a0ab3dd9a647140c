/* Keys and values of a topology, one by one: each refusal with its exact words, and what is
 * accepted beside it. */
#include "topology_fixture.h"

/* A service with one key in question, at 3:9. */
#define SERVICE(key) PROJECT "services:\n  api: {" key "}\n"
#define AT           "t.yaml:3:"

static const problem_row REFUSED[] = {
    /* the whole */
    {"[a]\n", "t.yaml:1:1: the topology: expected a mapping with project, services, ..., found a "
              "list\n"},
    {"---\n", "t.yaml:2:1: the topology: expected a mapping with project, services, ..., found "
              "nothing\n"},
    {"services: {api: {}}\n", "t.yaml:1:1: 'project' is missing; write project: { id: my-project, "
                              "number: 123456789012 }\n"},
    {PROJECT "servics: {}\n",
     "t.yaml:2:1: unknown key 'servics' in the topology; did you mean 'services'?\n"},
    {PROJECT "zzz: {}\n",
     "t.yaml:2:1: unknown key 'zzz' in the topology; there are: project, region, listen, keys, "
     "service_accounts, services, matrix, groups, users, roles, deny, images, include, emulation, "
     "limits, egress\n"},
    {PROJECT "services: [api]\n", "t.yaml:2:11: services: expected a mapping, found a list\n"},
    {PROJECT "service_accounts: [a]\n",
     "t.yaml:2:19: service_accounts: expected a mapping, found a list\n"},
    /* project */
    {"project: my-project\n", "t.yaml:1:10: project: expected a mapping, found 'my-project'\n"},
    {"project: {number: 12}\n", "t.yaml:1:10: project: 'id' is missing\n"},
    {"project:\n", "t.yaml:1:9: project: 'id' is missing\n"},
    {"project: {id: [x]}\n", "t.yaml:1:15: id: expected 6 to 30 lower-case letters, digits and "
                             "hyphens, a letter first, found a list\n"},
    {"project: {id: Demo}\n", "t.yaml:1:15: id: expected 6 to 30 lower-case letters, digits and "
                              "hyphens, a letter first, found 'Demo'\n"},
    {"project: {id: my-project, number: 0123}\n",
     "t.yaml:1:35: number: expected a project number such as 123456789012, found '0123'\n"},
    {"project: {id: my-project, number: {}}\n",
     "t.yaml:1:35: number: expected a project number such as 123456789012, found a mapping\n"},
    {"project: {id: my-project, name: x}\n",
     "t.yaml:1:27: unknown key 'name' in project; there are: id, number, policy\n"},
    {PROJECT "region: here\n",
     "t.yaml:2:9: region: expected a region such as us-central1, found 'here'\n"},
    {PROJECT "region:\n",
     "t.yaml:2:8: region: expected a region such as us-central1, found nothing\n"},
    /* listen, keys */
    {PROJECT "listen: {ingress: 8080}\n",
     "t.yaml:2:19: ingress: expected IP:PORT such as 127.0.0.1:8081 (port 0: any free one), found "
     "'8080'\n"},
    {PROJECT "listen: {control: 127.0.0.1:65536}\n",
     "t.yaml:2:19: control: expected IP:PORT such as 127.0.0.1:8081 (port 0: any free one), found "
     "'127.0.0.1:65536'\n"},
    {PROJECT "listen: {ingres: 127.0.0.1:8080}\n",
     "t.yaml:2:10: unknown key 'ingres' in listen; did you mean 'ingress'?\n"},
    {PROJECT "keys: \"\"\n",
     "t.yaml:2:7: keys: expected a folder, relative to this file, found ''\n"},
    {PROJECT "keys: [a]\n",
     "t.yaml:2:7: keys: expected a folder, relative to this file, found a list\n"},
    /* emulation, limits */
    {PROJECT "emulation: {token_lifetime: 3600}\n",
     "t.yaml:2:29: token_lifetime: expected a duration such as 300s or 5m, found '3600'; did you "
     "mean '3600s'?\n"},
    {PROJECT "emulation: {token_lifetime: 0s}\n",
     "t.yaml:2:29: token_lifetime: expected 1s to 43200s, found '0s'\n"},
    {PROJECT "emulation: {clock_skew: 1500ms}\n",
     "t.yaml:2:25: clock_skew: expected whole seconds, found '1500ms'\n"},
    {PROJECT "emulation: {propagation_delay: soon}\n",
     "t.yaml:2:32: propagation_delay: expected a duration such as 300s or 5m, found 'soon'\n"},
    {PROJECT "emulation: {propagation_delay: 25h}\n",
     "t.yaml:2:32: propagation_delay: expected 0s to 86400s, found '25h'\n"},
    {PROJECT "emulation: {mode: dry-run}\n",
     "t.yaml:2:19: mode: expected enforce or audit, found 'dry-run'\n"},
    {PROJECT "emulation: {faults: []}\n",
     "t.yaml:2:13: emulation: 'faults' is not supported yet; leave it out\n"},
    {PROJECT "limits: {request_body: 1GiB}\n",
     "t.yaml:2:24: request_body: expected 32MiB (as in production) or off, found '1GiB'\n"},
    {PROJECT "limits: {request_body: [off]}\n",
     "t.yaml:2:24: request_body: expected 32MiB (as in production) or off, found a list\n"},
    {PROJECT "limits: {response_body: none}\n",
     "t.yaml:2:25: response_body: expected 32MiB (as in production) or off, found 'none'\n"},
    {PROJECT "limits: {response_body: off, response_body: off}\n",
     "t.yaml:2:30: duplicate key 'response_body'; the first is at line 2\n"},
    {PROJECT "limits: off\n", "t.yaml:2:9: limits: expected a mapping, found 'off'\n"},
    /* egress */
    {PROJECT "egress: alow\n",
     "t.yaml:2:9: egress: expected deny or allow, found 'alow'; did you mean 'allow'?\n"},
    {PROJECT "egress: true\n", "t.yaml:2:9: egress: expected deny or allow, found 'true'\n"},
    {PROJECT "egress: [allow]\n", "t.yaml:2:9: egress: expected deny or allow, found a list\n"},
    {PROJECT "egress:\n", "t.yaml:2:8: egress: expected deny or allow, found nothing\n"},
    {PROJECT "egress: allow\negress: allow\n",
     "t.yaml:3:1: duplicate key 'egress'; the first is at line 2\n"},
    {PROJECT "egres: allow\n",
     "t.yaml:2:1: unknown key 'egres' in the topology; did you mean 'egress'?\n"},
    /* services */
    {PROJECT "services:\n  Backend_API: {}\n",
     "t.yaml:3:3: 'Backend_API' is not a service name: expected at most 49 lower-case letters, "
     "digits and hyphens, a letter first, no hyphen last\n"},
    {PROJECT "services:\n  a123456789012345678901234567890123456789012345678x: {}\n",
     "t.yaml:3:3: 'a123456789012345678901234567890123456789012345678x' is not a service name: "
     "expected at most 49 lower-case letters, digits and hyphens, a letter first, no hyphen "
     "last\n"},
    {PROJECT "services:\n  api-: {}\n",
     "t.yaml:3:3: 'api-' is not a service name: expected at most 49 lower-case letters, digits and "
     "hyphens, a letter first, no hyphen last\n"},
    {PROJECT "services:\n  api: [a]\n",
     "t.yaml:3:8: service 'api': expected a mapping, found a list\n"},
    {SERVICE("upstrem: x"),
     AT "9: unknown key 'upstrem' in service 'api'; did you mean 'upstream'?\n"},
    {SERVICE("service_account: [x]"),
     AT "26: service_account: expected the name of a service account, found a list\n"},
    {SERVICE("service_account: "),
     AT "26: service_account: expected the name of a service account, found nothing\n"},
    {SERVICE("listen: backend:80"),
     AT "17: listen: expected IP:PORT such as 127.0.0.1:8081 (port 0: any free one), found "
        "'backend:80'\n"},
    {SERVICE("metadata: {}"), AT "19: metadata: expected IP:PORT such as 127.0.0.1:8081 (port 0: "
                                 "any free one), found a mapping\n"},
    {SERVICE("upstream: 127.0.0.1:9081"),
     AT "19: upstream: expected http://HOST:PORT such as http://127.0.0.1:9081, found "
        "'127.0.0.1:9081'\n"},
    {SERVICE("upstream: https://127.0.0.1:9081"),
     AT "19: upstream: expected http://HOST:PORT such as http://127.0.0.1:9081, found "
        "'https://127.0.0.1:9081'\n"},
    {SERVICE("upstream: http://127.0.0.1:9081/api"),
     AT "19: upstream: expected http://HOST:PORT such as http://127.0.0.1:9081, found "
        "'http://127.0.0.1:9081/api'\n"},
    {SERVICE("upstream: http://127.0.0.1:0"),
     AT "19: upstream: expected http://HOST:PORT such as http://127.0.0.1:9081, found "
        "'http://127.0.0.1:0'\n"},
    {SERVICE("url: ftp://api"), AT "14: url: expected http://HOST[:PORT] or https://HOST[:PORT] "
                                   "without a path, found 'ftp://api'\n"},
    {SERVICE("url: \"http://api?x=1\""),
     AT "14: url: expected http://HOST[:PORT] or https://HOST[:PORT] without a path, found "
        "'http://api?x=1'\n"},
    {SERVICE("url: \"http://user@api\""),
     AT "14: url: expected http://HOST[:PORT] or https://HOST[:PORT] without a path, found "
        "'http://user@api'\n"},
    {SERVICE("url: \"${api.url}\""),
     AT "14: url: expected http://HOST[:PORT] or https://HOST[:PORT] without a path, found "
        "'${api.url}'\n"},
    {SERVICE("ingress: interna"),
     AT "18: ingress: expected all, internal, internal-and-cloud-load-balancing or none, found "
        "'interna'; did you mean 'internal'?\n"},
    {SERVICE("ingress: {}"),
     AT "18: ingress: expected all, internal, internal-and-cloud-load-balancing or none, found a "
        "mapping\n"},
    {SERVICE("timeout: 300"), AT "18: timeout: expected a duration such as 300s or 5m, found "
                                 "'300'; did you mean '300s'?\n"},
    {SERVICE("timeout: 2h"), AT "18: timeout: expected 1ms to 3600s, found '2h'\n"},
    {SERVICE("timeout: 0s"), AT "18: timeout: expected 1ms to 3600s, found '0s'\n"},
    {SERVICE("timeout: 5s5m"),
     AT "18: timeout: expected a duration such as 300s or 5m, found '5s5m'\n"},
    {SERVICE("timeout: 99999999999h"),
     AT "18: timeout: expected a duration such as 300s or 5m, found '99999999999h'\n"},
    {SERVICE("invoker_iam_check: no"),
     AT "28: invoker_iam_check: expected true or false, found 'no'\n"},
    {SERVICE("invoker_iam_check: \"true\""),
     AT "28: invoker_iam_check: expected true or false, found 'true'\n"},
    {SERVICE("default_url: []"), AT "22: default_url: expected true or false, found a list\n"},
    {SERVICE("use_http2: h2c"), AT "20: use_http2: expected true or false, found 'h2c'\n"},
    {SERVICE("use_http2: \"true\""), AT "20: use_http2: expected true or false, found 'true'\n"},
    {SERVICE("use_http2: "), AT "20: use_http2: expected true or false, found nothing\n"},
    {SERVICE("use_http: true"),
     AT "9: unknown key 'use_http' in service 'api'; did you mean 'use_http2'?\n"},
    {SERVICE("use_http2: true, use_http2: true"),
     AT "26: duplicate key 'use_http2'; the first is at line 3\n"},
    {SERVICE("upstream: h2c://127.0.0.1:9081"),
     AT "19: upstream: expected http://HOST:PORT such as http://127.0.0.1:9081, found "
        "'h2c://127.0.0.1:9081'\n"},
    {SERVICE("max_instances: 0"),
     AT "24: max_instances: expected a whole number from 1 to 1000, found '0'\n"},
    {SERVICE("max_instances: 1001"),
     AT "24: max_instances: expected a whole number from 1 to 1000, found '1001'\n"},
    {SERVICE("max_instances: -1"),
     AT "24: max_instances: expected a whole number from 1 to 1000, found '-1'\n"},
    {SERVICE("max_instances: 1.5"),
     AT "24: max_instances: expected a whole number from 1 to 1000, found '1.5'\n"},
    {SERVICE("max_instances: [1]"),
     AT "24: max_instances: expected a whole number from 1 to 1000, found a list\n"},
    {SERVICE("max_instances: "),
     AT "24: max_instances: expected a whole number from 1 to 1000, found nothing\n"},
    {SERVICE("max_instances: 1, max_instances: 2"),
     AT "27: duplicate key 'max_instances'; the first is at line 3\n"},
    {SERVICE("max_instance: 1"),
     AT "9: unknown key 'max_instance' in service 'api'; did you mean 'max_instances'?\n"},
    {SERVICE("concurrency: 0"),
     AT "22: concurrency: expected a whole number from 1 to 1000, found '0'\n"},
    {SERVICE("concurrency: 1001"),
     AT "22: concurrency: expected a whole number from 1 to 1000, found '1001'\n"},
    {SERVICE("concurrency: default"),
     AT "22: concurrency: expected a whole number from 1 to 1000, found 'default'\n"},
    {SERVICE("concurrency: 99999999999999999999"),
     AT "22: concurrency: expected a whole number from 1 to 1000, found "
        "'99999999999999999999'\n"},
    {SERVICE("concurrency: {max: 1}"),
     AT "22: concurrency: expected a whole number from 1 to 1000, found a mapping\n"},
    {SERVICE("concurrency: 1, concurrency: 1"),
     AT "25: duplicate key 'concurrency'; the first is at line 3\n"},
    {SERVICE("command: run.sh"), AT "18: command: expected a list such as [build/samples/frontend, "
                                    "--verbose], found 'run.sh'\n"},
    {SERVICE("command: []"), AT "18: command: expected a list such as [build/samples/frontend, "
                                "--verbose], found a list\n"},
    {SERVICE("command: [a, [b]]"), AT "22: command: expected text, found a list\n"},
    {SERVICE("command: [a, ~]"), AT "22: command: expected text, found nothing\n"},
    {SERVICE("custom_audiences: x"),
     AT "27: custom_audiences: expected a list such as [one, two], found 'x'\n"},
    {SERVICE("custom_audiences: [\"\"]"),
     AT "28: custom_audiences: expected an audience, found ''\n"},
    {SERVICE("hosts: [\"a b\"]"),
     AT "17: hosts: expected a host name such as api.example.test, no port, found 'a b'\n"},
    {SERVICE("hosts: [api.test:80]"),
     AT "17: hosts: expected a host name such as api.example.test, no port, found 'api.test:80'\n"},
    {SERVICE("addresses: [10.0.0.0/33]"),
     AT "21: addresses: expected an IP address, a CIDR block or a host name, found "
        "'10.0.0.0/33'\n"},
    {SERVICE("addresses: 10.0.0.1"),
     AT "20: addresses: expected a list such as [one, two], found '10.0.0.1'\n"},
    {SERVICE("limits: {request_body: on}"),
     AT "32: request_body: expected 32MiB (as in production) or off, found 'on'\n"},
    {SERVICE("limits: {response_body: {}}"),
     AT "33: response_body: expected 32MiB (as in production) or off, found a mapping\n"},
    {SERVICE("limits: {memory: 1}"),
     AT "18: unknown key 'memory' in limits; there are: request_body, response_body\n"},
    {SERVICE("env: [A=b]"), AT "14: env: expected a mapping, found a list\n"},
};

START_TEST(what_is_refused_says_where_and_why)
{
    check_problems(&REFUSED[_i]);
}
END_TEST

static const char *const ACCEPTED[] = {
    PROJECT,
    "project: {id: my-project}\n",
    "project: {id: \"my-project\", number: \"123456789012\"}\n",
    PROJECT "services:\nservice_accounts:\nmatrix:\ngroups:\nusers:\ninclude:\nemulation:\n"
            "limits:\nlisten:\n",
    PROJECT "services: {}\nmatrix: {}\nusers: []\n",
    PROJECT "region: northamerica-northeast1\n",
    PROJECT "listen: {ingress: 127.0.0.1:0, metadata: \"[::1]:8180\", control: localhost:8079}\n",
    PROJECT "keys: /var/lib/keys\n",
    PROJECT "emulation: {token_lifetime: 12h, clock_skew: 0s, propagation_delay: 1h30m}\n",
    PROJECT "emulation: {mode: enforce}\n",
    PROJECT "limits: {request_body: off}\n",
    PROJECT "limits: {request_body: 32MiB}\n",
    PROJECT "egress: deny\n",
    PROJECT "egress: \"allow\"\n",
    PROJECT "services:\n  a12345678901234567890123456789012345678901234567x: {}\n",
    PROJECT "services: {api: }\n",
    SERVICE("service_account: 123456789012-compute@developer.gserviceaccount.com"),
    SERVICE("listen: 0.0.0.0:0, metadata: off"),
    SERVICE("upstream: http://backend-app:8080"),
    SERVICE("upstream: \"http://[::1]:9081/\""),
    SERVICE("upstream: HTTP://backend-app"),
    SERVICE("url: https://api.example.test/"),
    SERVICE("ingress: internal-and-cloud-load-balancing"),
    SERVICE("timeout: 250ms"),
    SERVICE("timeout: 1h"),
    SERVICE("timeout: \"5m30s\""),
    SERVICE("invoker_iam_check: False"),
    SERVICE("use_http2: true"),
    SERVICE("use_http2: False"),
    SERVICE("max_instances: 1"),
    SERVICE("max_instances: 1000, concurrency: 1000"),
    SERVICE("max_instances: \"3\""),
    SERVICE("concurrency: 1"),
    SERVICE("default_url: true"),
    SERVICE("command: [run.sh, \"\", 3, true]"),
    SERVICE("custom_audiences: [backend-api.internal, \"https://x/y?z\"]"),
    SERVICE("hosts: [API.example.test]"),
    SERVICE("addresses: [172.30.0.12, 10.0.0.0/8, fd00::/8, backend-app]"),
    SERVICE("limits: {request_body: off}"),
    SERVICE("limits: {response_body: off, request_body: 32MiB}"),
    SERVICE("env: {}"),
};

START_TEST(what_is_accepted_beside_it)
{
    check_good(ACCEPTED[_i]);
}
END_TEST

START_TEST(all_problems_are_reported_in_one_go)
{
    const problem_row row = {
        PROJECT "regin: us-central1\n"
                "services:\n"
                "  frontend: { service_account: frontend, timeout: 300 }\n"
                "  backend-api: { upstream: 9081 }\n"
                "matrix:\n"
                "  allUsers: [frontnd]\n",
        "t.yaml:2:1: unknown key 'regin' in the topology; did you mean 'region'?\n"
        "t.yaml:4:32: service account 'frontend' of service 'frontend' is not defined\n"
        "t.yaml:4:51: timeout: expected a duration such as 300s or 5m, found '300'; did you mean "
        "'300s'?\n"
        "t.yaml:5:28: upstream: expected http://HOST:PORT such as http://127.0.0.1:9081, found "
        "'9081'\n"
        "t.yaml:7:14: service 'frontnd' in matrix is not defined; did you mean 'frontend'?\n"};
    check_problems(&row);
}
END_TEST

START_TEST(one_mistake_in_an_aliased_value_is_reported_once)
{
    const problem_row row = {PROJECT "services:\n"
                                     "  one: &s { timeout: 1 }\n"
                                     "  two: *s\n",
                             "t.yaml:3:22: timeout: expected a duration such as 300s or 5m, found "
                             "'1'; did you mean '1s'?\n"};
    check_problems(&row);
}
END_TEST

START_TEST(at_most_a_hundred_problems_are_reported)
{
    auto_buf buf text = buf_make(1 << 20);
    buf_str(&text, PROJECT);
    for (int i = 0; i < 500; i++)
        buf_fmt(&text, "key%d: 1\n", i);
    put_file("t.yaml", text.p);
    diagnostics d = {0};
    ck_assert_ptr_null(topology_load("t.yaml", NULL, &d));
    ck_assert_uint_eq(d.count, 100);
    ck_assert_uint_eq(d.items[99].line, 101);
    diagnostics_free(&d);
}
END_TEST

START_TEST(a_long_value_is_shortened_in_the_message)
{
    const problem_row row = {
        PROJECT "region: \xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
        "t.yaml:2:9: region: expected a region such as us-central1, found "
        "'\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'\n"};
    check_problems(&row);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("topology");
    TCase *t = tcase_create("keys and values");
    tcase_add_checked_fixture(t, fixture_open, fixture_close);
    tcase_add_loop_test(t, what_is_refused_says_where_and_why, 0, countof(REFUSED));
    tcase_add_loop_test(t, what_is_accepted_beside_it, 0, countof(ACCEPTED));
    tcase_add_test(t, all_problems_are_reported_in_one_go);
    tcase_add_test(t, one_mistake_in_an_aliased_value_is_reported_once);
    tcase_add_test(t, at_most_a_hundred_problems_are_reported);
    tcase_add_test(t, a_long_value_is_shortened_in_the_message);
    suite_add_tcase(s, t);
    return check_main(s);
}
