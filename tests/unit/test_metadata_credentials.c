/* Requests of IAM Credentials, and chains of accounts. */
#include "check_main.h"

#include <stdio.h>

#include "metadata/chain.h"
#include "metadata/credentials_ask.h"
#include "policy/role.h"

enum { T0 = 1700000000 };

/* ---- what is asked for ---- */

static const struct good_row {
    credentials_method method;
    const char *body;
    const char *scopes;
    int64_t lifetime_s;
    const char *text; /* audience, claims or the decoded blob */
    bool email, azp;
    size_t delegates;
} good[] = {
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"b\",\"a\"]}", "a b", 3600, NULL, false, false, 0},
    {CREDENTIALS_ACCESS_TOKEN, "{\"delegates\":null,\"scope\":[\"a\"],\"lifetime\":\"3600s\"}", "a",
     3600, NULL, false, false, 0},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":\"a\",\"lifetime\":\"1.5s\"}", "a", 2, NULL, false,
     false, 0},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":null}", "a", 3600, NULL, false,
     false, 0},
    {CREDENTIALS_ACCESS_TOKEN,
     "{\"delegates\":[\"projects/-/serviceAccounts/x@y\",\"113\"],\"scope\":[\"a\"]}", "a", 3600,
     NULL, false, false, 2},
    {CREDENTIALS_ID_TOKEN, "{\"audience\":\"x\"}", NULL, 3600, "x", false, false, 0},
    {CREDENTIALS_ID_TOKEN, "{\"audience\":\"x\",\"includeEmail\":true,\"useEmailAzp\":true}", NULL,
     3600, "x", true, true, 0},
    {CREDENTIALS_ID_TOKEN,
     "{\"audience\":\"x\",\"include_email\":true,\"organizationNumberIncluded\":true}", NULL, 3600,
     "x", true, false, 0},
    {CREDENTIALS_SIGN_BLOB, "{\"payload\":\"Zm9v\",\"delegates\":[]}", NULL, 3600, "foo", false,
     false, 0},
    {CREDENTIALS_SIGN_BLOB, "{\"payload\":\"Zm8\"}", NULL, 3600, "fo", false, false, 0},
    {CREDENTIALS_SIGN_JWT, "{\"payload\":\"{\\\"exp\\\":1700043200}\"}", NULL, 3600,
     "{\"exp\":1700043200}", false, false, 0},
    {CREDENTIALS_SIGN_JWT, "{\"payload\":\"{}\"}", NULL, 3600, "{}", false, false, 0},
};

START_TEST(these_requests_are_understood)
{
    const struct good_row *row = &good[_i];
    credentials_ask a = {0};
    error e = {0};
    ck_assert_msg(credentials_ask_parse(row->method, span_of(row->body), T0, &a, &e), "%s: %s",
                  row->body, e.text);
    if (row->scopes)
        ck_assert_str_eq(a.scopes.p, row->scopes);
    ck_assert_int_eq(a.lifetime_s, row->lifetime_s);
    const span text = a.audience.n ? a.audience : a.claims.n ? a.claims : buf_view(&a.blob);
    ck_assert(!row->text || span_eq_str(text, row->text));
    ck_assert(a.include_email == row->email && a.email_azp == row->azp);
    ck_assert_uint_eq(a.delegate_count, row->delegates);
    credentials_ask_clear(&a);
}
END_TEST

#define CHAIN17                                                                                    \
    "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","   \
    "\"a\",\"a\""

static const struct bad_row {
    credentials_method method;
    const char *body, *says;
} bad[] = {
    {CREDENTIALS_ACCESS_TOKEN, "", "at least one OAuth 2.0 scope"},
    {CREDENTIALS_ACCESS_TOKEN, "{}", "at least one OAuth 2.0 scope"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[]}", "at least one OAuth 2.0 scope"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"\"]}", "not a valid OAuth 2.0 scope"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a b\"]}", "not a valid OAuth 2.0 scope"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[1]}", "not a valid OAuth 2.0 scope"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":{}}", "expected a list"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":\"3601s\"}",
     "cannot exceed 3600 seconds"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":\"43200s\"}",
     "iam.allowServiceAccountCredentialLifetimeExtension"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":\"3600.1s\"}",
     "cannot exceed 3600 seconds"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":\"0s\"}", "positive"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":\"-1s\"}", "a duration such as"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":\"1h\"}", "a duration such as"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":\"s\"}", "a duration such as"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":\"1.s\"}", "a duration such as"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":\"99999999999999999999s\"}",
     "a duration such as"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"lifetime\":3600}", "a duration such as"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"delegates\":\"a\"}", "expected a list"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"delegates\":[1]}", "expected a list"},
    {CREDENTIALS_ACCESS_TOKEN,
     "{\"scope\":[\"a\"],\"delegates\":[\"projects/p/serviceAccounts/a\"]}",
     "expected projects/-/serviceAccounts/"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"delegates\":[\"\"]}",
     "expected projects/-/serviceAccounts/"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"delegates\":[" CHAIN17 "]}", "at most 16"},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scopes\":[\"a\"]}",
     "Unknown name \"scopes\": Cannot find field."},
    {CREDENTIALS_ACCESS_TOKEN, "{\"scope\":[\"a\"],\"scope\":[\"b\"]}", "duplicate"},
    {CREDENTIALS_ACCESS_TOKEN, "[]", "not a JSON object"},
    {CREDENTIALS_ACCESS_TOKEN, "{", "Invalid JSON payload received"},
    {CREDENTIALS_ID_TOKEN, "{}", "an audience is required"},
    {CREDENTIALS_ID_TOKEN, "{\"audience\":\"\"}", "an audience is required"},
    {CREDENTIALS_ID_TOKEN, "{\"audience\":null}", "an audience is required"},
    {CREDENTIALS_ID_TOKEN, "{\"audience\":[\"x\"]}", "expected a string"},
    {CREDENTIALS_ID_TOKEN, "{\"audience\":\"x\",\"includeEmail\":\"true\"}", "true or false"},
    {CREDENTIALS_ID_TOKEN, "{\"audience\":\"x\",\"lifetime\":\"1s\"}", "Cannot find field"},
    {CREDENTIALS_SIGN_BLOB, "{}", "a payload is required"},
    {CREDENTIALS_SIGN_BLOB, "{\"payload\":\"\"}", "a payload is required"},
    {CREDENTIALS_SIGN_BLOB, "{\"payload\":\"*\"}", "expected base64"},
    {CREDENTIALS_SIGN_BLOB, "{\"payload\":1}", "expected base64"},
    {CREDENTIALS_SIGN_JWT, "{\"payload\":{}}", "a JSON string"},
    {CREDENTIALS_SIGN_JWT, "{\"payload\":\"\"}", "a serialized JSON object"},
    {CREDENTIALS_SIGN_JWT, "{\"payload\":\"[]\"}", "a serialized JSON object"},
    {CREDENTIALS_SIGN_JWT, "{\"payload\":\"{\\\"exp\\\":1700000000}\"}", "in the past"},
    {CREDENTIALS_SIGN_JWT, "{\"payload\":\"{\\\"exp\\\":1700043201}\"}", "12 hours"},
    {CREDENTIALS_SIGN_JWT, "{\"payload\":\"{\\\"exp\\\":1700000001.5}\"}", "an integer"},
};

START_TEST(these_requests_are_refused_with_a_reason)
{
    const struct bad_row *row = &bad[_i];
    credentials_ask a = {0};
    error e = {0};
    ck_assert_msg(!credentials_ask_parse(row->method, span_of(row->body), T0, &a, &e), "%s",
                  row->body);
    ck_assert_msg(strstr(e.text, row->says) != NULL, "%s: %s", row->body, e.text);
    credentials_ask_clear(&a);
}
END_TEST

START_TEST(an_audience_of_8_kib_passes_and_one_byte_more_does_not)
{
    for (size_t n = 8192; n <= 8193; n++) {
        auto_buf buf b = buf_make(10000);
        credentials_ask a = {0};
        error e = {0};
        buf_str(&b, "{\"audience\":\"");
        for (size_t i = 0; i < n; i++)
            buf_char(&b, 'x');
        buf_str(&b, "\"}");
        ck_assert(credentials_ask_parse(CREDENTIALS_ID_TOKEN, buf_view(&b), T0, &a, &e) ==
                  (n == 8192));
        credentials_ask_clear(&a);
    }
}
END_TEST

/* ---- chains ---- */

#define EMAIL(name) name "@p.iam.gserviceaccount.com"

/* alice → a → b → c; dave on a by the group, bob by the project; nobody on themselves. */
static snapshot *world(void)
{
    snapshot_builder *b = snapshot_builder_new();
    const project p = {.id = "p",
                       .number = "1",
                       .region = "r",
                       .default_account = "1-compute@developer.gserviceaccount.com",
                       .ingress_listen = "127.0.0.1:1",
                       .metadata_listen = "127.0.0.1:2",
                       .control_listen = "127.0.0.1:3",
                       .file = "t.yaml"};
    snapshot_builder_project(b, &p);
    static const char *const names[] = {EMAIL("a"), EMAIL("b"), EMAIL("c"), EMAIL("off")};
    for (size_t i = 0; i < countof(names); i++) {
        const account a = {.email = names[i], .disabled = i == 3};
        snapshot_builder_account(b, &a);
    }
    snapshot_builder_group(b, "team@example.com", "user:dave@example.com");
    static const struct {
        const char *account, *member, *role;
    } grants[] = {
        {EMAIL("a"), "user:alice@example.com", "roles/iam.serviceAccountTokenCreator"},
        {EMAIL("b"), "serviceAccount:" EMAIL("a"), "roles/iam.serviceAccountTokenCreator"},
        {EMAIL("c"), "serviceAccount:" EMAIL("b"), "roles/iam.serviceAccountOpenIdTokenCreator"},
        {EMAIL("a"), "group:team@example.com", "roles/iam.serviceAccountTokenCreator"},
        {NULL, "user:bob@example.com", "roles/iam.serviceAccountTokenCreator"},
        {EMAIL("off"), "user:alice@example.com", "roles/iam.serviceAccountTokenCreator"},
    };
    for (size_t i = 0; i < countof(grants); i++)
        snapshot_builder_grant(b, &(grant_spec){.account = grants[i].account,
                                                .member = grants[i].member,
                                                .role = grants[i].role});
    return snapshot_build(b, NULL, 0);
}

static const struct chain_row {
    const char *caller;
    const char *chain; /* names of accounts */
    const char *permission;
    const char *missing; /* NULL: it holds; "disabled" */
    const char *holder, *on;
} chains[] = {
    {"alice@example.com", "a", PERMISSION_ACCESS_TOKEN, NULL, NULL, NULL},
    {"alice@example.com", "a", PERMISSION_SIGN_BLOB, NULL, NULL, NULL},
    {"alice@example.com", "a", PERMISSION_SIGN_JWT, NULL, NULL, NULL},
    {"dave@example.com", "a", PERMISSION_ID_TOKEN, NULL, NULL, NULL},
    {"bob@example.com", "c", PERMISSION_ACCESS_TOKEN, NULL, NULL, NULL},
    {"alice@example.com", "b", PERMISSION_ACCESS_TOKEN, PERMISSION_ACCESS_TOKEN,
     "alice@example.com", "b"},
    {"alice@example.com", "ab", PERMISSION_ACCESS_TOKEN, NULL, NULL, NULL},
    {"alice@example.com", "abc", PERMISSION_ID_TOKEN, NULL, NULL, NULL},
    {"alice@example.com", "abc", PERMISSION_ACCESS_TOKEN, PERMISSION_ACCESS_TOKEN, EMAIL("b"), "c"},
    {"alice@example.com", "ac", PERMISSION_ID_TOKEN, PERMISSION_ID_TOKEN, EMAIL("a"), "c"},
    {"alice@example.com", "ba", PERMISSION_ID_TOKEN, PERMISSION_IMPLICIT_DELEGATION,
     "alice@example.com", "b"},
    {"carol@example.com", "a", PERMISSION_ACCESS_TOKEN, PERMISSION_ACCESS_TOKEN,
     "carol@example.com", "a"},
    {EMAIL("a"), "a", PERMISSION_ACCESS_TOKEN, PERMISSION_ACCESS_TOKEN, EMAIL("a"), "a"},
    {EMAIL("a"), "b", PERMISSION_ACCESS_TOKEN, NULL, NULL, NULL},
    {"alice@example.com", "o", PERMISSION_ACCESS_TOKEN, "disabled", NULL, "off"},
    {"carol@example.com", "o", PERMISSION_ACCESS_TOKEN, PERMISSION_ACCESS_TOKEN,
     "carol@example.com", "off"},
};

static const account *named(const snapshot *s, char c)
{
    char email[64];
    (void)snprintf(email, sizeof email, "%s@p.iam.gserviceaccount.com",
                   c == 'o' ? "off" : (char[]){c, '\0'});
    return snapshot_find_account(s, span_of(email));
}

START_TEST(a_chain_holds_when_each_link_does)
{
    const struct chain_row *row = &chains[_i];
    snapshot *s = world();
    const account *list[8];
    size_t n = 0;
    for (const char *c = row->chain; *c; c++)
        list[n++] = named(s, *c);
    const principal caller = {member_kind_of_email(span_of(row->caller)), span_of(row->caller)};
    chain_break b = {0};
    const bool held = chain_holds(s, &caller, list, n, row->permission, 1, &b);
    ck_assert_msg(held == !row->missing, "row %d", _i);
    if (row->missing) {
        ck_assert_str_eq(b.permission ? b.permission : "disabled", row->missing);
        ck_assert(!row->holder || span_eq_str(b.holder, row->holder));
        ck_assert_ptr_eq(b.on, named(s, row->on[0]));
    }
    snapshot_unref(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metadata_credentials");
    TCase *t = tcase_create("requests");
    tcase_add_loop_test(t, these_requests_are_understood, 0, (int)countof(good));
    tcase_add_loop_test(t, these_requests_are_refused_with_a_reason, 0, (int)countof(bad));
    tcase_add_test(t, an_audience_of_8_kib_passes_and_one_byte_more_does_not);
    suite_add_tcase(s, t);
    t = tcase_create("chains");
    tcase_add_loop_test(t, a_chain_holds_when_each_link_does, 0, (int)countof(chains));
    suite_add_tcase(s, t);
    return check_main(s);
}
