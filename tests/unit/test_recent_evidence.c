/* What a decision was made from goes through the ring and comes out as it was. */
#include "decision_fixture.h"
#include "gateway/recent_impl.h"
#include "recent_fixture.h"

static scene x;

static void setup(void)
{
    ring_setup();
    scene_open(&x, NULL);
}

static void teardown(void)
{
    snapshot_unref(x.s);
    ring_teardown();
}

/* {"alg":"RS256","kid":"k1"} . {"iss":"https://accounts.google.com","sub":"1","aud":["a","b"],
 * "email":"x@y.example","email_verified":true,"iat":5,"exp":9} */
#define TOKEN                                                                                      \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0."                                                         \
    "eyJpc3MiOiJodHRwczovL2FjY291bnRzLmdvb2dsZS5jb20iLCJzdWIiOiIxIiwiYXVkIjpbImEiLCJiIl0s"         \
    "ImVtYWlsIjoieEB5LmV4YW1wbGUiLCJlbWFpbF92ZXJpZmllZCI6dHJ1ZSwiaWF0Ijo1LCJleHAiOjl9"

static const recent_request *kept(record *r, const evidence *e)
{
    r->evidence = e;
    recent_add(ring, r);
    recent_collect(ring, &(recent_query){.limit = 1}, &items, &count);
    return items[count - 1].request;
}

static void same(span a, span b)
{
    ck_assert_msg(span_eq(a, b), "\"%.*s\", not \"%.*s\"", SPAN_ARG(b), SPAN_ARG(a));
}

static void same_grant(const evidence_grant *a, const evidence_grant *b)
{
    same(a->member, b->member);
    same(a->role, b->role);
    same(a->service, b->service);
    same(a->condition, b->condition);
    same(a->file, b->file);
    ck_assert_uint_eq(a->line, b->line);
    ck_assert_uint_eq(a->column, b->column);
    ck_assert_int_eq(a->state, b->state);
}

START_TEST(a_refusal_comes_back_as_it_was_decided)
{
    x.claims.email = BACKEND;
    const decision d = decide(x.s, &x.facts, NOW_US);
    evidence e = evidence_of(x.s, &d, &x.facts, NOW_US);
    record r = record_refusal();
    r.caller = span_of(BACKEND);
    r.token = SPAN_LIT(TOKEN);
    recalled back;
    recent_recall(kept(&r, &e), &back);
    const evidence *b = &back.evidence;
    ck_assert_int_eq(b->reason, REASON_NO_GRANT);
    ck_assert_int_eq(b->skew_s, e.skew_s);
    ck_assert_int_eq(b->header, HEADER_AUTHORIZATION);
    ck_assert_int_eq(b->token, TOKEN_VERIFIED);
    ck_assert_int_eq(b->principal.kind, MEMBER_SERVICE_ACCOUNT);
    same(b->principal.email, span_of(BACKEND));
    same(b->service, SPAN_LIT("backend-api"));
    same(b->url, e.url);
    same(b->accepted, e.accepted);
    same(b->project, SPAN_LIT("my-project"));
    same(b->host, SPAN_LIT("h:1"));
    same(b->path, SPAN_LIT("/a"));
    same(b->kid, SPAN_LIT("k1"));
    same(b->alg, SPAN_LIT("RS256"));
    ck_assert(e.nearest.member.n != 0);
    same_grant(&b->nearest, &e.nearest);
    same_grant(&b->binding, &e.binding);
    ck_assert_str_eq(b->claims->email, "x@y.example");
    ck_assert_uint_eq(b->claims->aud_count, 2);
    recalled_free(&back);
}
END_TEST

START_TEST(a_pass_comes_back_with_its_binding_and_the_audience_that_counted)
{
    const decision d = decide(x.s, &x.facts, NOW_US);
    evidence e = evidence_of(x.s, &d, &x.facts, NOW_US);
    e.audience_got = (span){NULL, 0};
    e.audience_index = 1;
    record r = record_passed();
    r.granted_file = d.binding->place.file;
    r.granted_line = d.binding->place.line;
    r.token = SPAN_LIT(TOKEN);
    recalled back;
    recent_recall(kept(&r, &e), &back);
    same_grant(&back.evidence.binding, &e.binding);
    same(back.evidence.audience_got, SPAN_LIT("b"));
    recalled_free(&back);
}
END_TEST

START_TEST(a_token_that_is_too_long_or_none_leaves_no_claims)
{
    static char longest[TOKEN_KEPT_MAX + 1];
    memset(longest, 'a', sizeof longest);
    const decision d = decide(x.s, &x.facts, NOW_US);
    evidence e = evidence_of(x.s, &d, &x.facts, NOW_US);
    const span tokens[] = {{longest, sizeof longest}, SPAN_LIT("a.b"), {NULL, 0}};
    for (size_t i = 0; i < countof(tokens); i++) {
        record r = record_passed();
        r.token = tokens[i];
        recalled back;
        recent_recall(kept(&r, &e), &back);
        ck_assert_ptr_null(back.evidence.claims);
        recalled_free(&back);
    }
}
END_TEST

/* Whatever the texts: as many as the ring holds, the oldest give way. */
START_TEST(the_longest_texts_fit)
{
    static char text[64 * 1024];
    memset(text, 'a', sizeof text);
    const span all = {text, sizeof text};
    const decision d = decide(x.s, &x.facts, NOW_US);
    evidence e = evidence_of(x.s, &d, &x.facts, NOW_US);
    e.accepted = e.keys = e.audience_got = e.nearest.member = e.nearest.file = all;
    record r = record_refusal();
    r.target = r.user_agent = r.explanation = r.fix = all;
    r.token = (span){text, TOKEN_KEPT_MAX};
    r.evidence = &e;
    for (size_t i = 0; i < 2 * RECENT_ENTRIES; i++)
        recent_add(ring, &r);
    recent_collect(ring, &(recent_query){.limit = SIZE_MAX}, &items, &count);
    ck_assert_uint_gt(count, 200);
    ck_assert_uint_le(count, RECENT_ENTRIES);
}
END_TEST

static json_t *told(const recent_request *r)
{
    auto_buf buf b = buf_make(1 << 20);
    recent_decision(r, &b);
    json_t *j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(j);
    return j;
}

static const char *text_of(const json_t *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j, key));
    return text ? text : "(none)";
}

START_TEST(the_json_of_a_refusal_has_all_that_is_known)
{
    x.claims.email = BACKEND;
    const decision d = decide(x.s, &x.facts, NOW_US);
    evidence e = evidence_of(x.s, &d, &x.facts, NOW_US);
    record r = record_refusal();
    r.caller = span_of(BACKEND);
    r.token = SPAN_LIT(TOKEN);
    json_auto_t *j = told(kept(&r, &e));
    ck_assert_str_eq(text_of(j, "id"), RECORD_INSERT_ID);
    ck_assert_str_eq(text_of(j, "header"), "Authorization");
    ck_assert_str_eq(text_of(j, "host"), "h:1");
    ck_assert(json_is_true(json_object_get(j, "enforced")));
    ck_assert_str_eq(text_of(j, "learn_more"), reason_info(REASON_NO_GRANT)->learn_more);
    ck_assert_str_eq(
        text_of(j, "terraform"),
        "resource \"google_cloud_run_v2_service_iam_member\" \"backend-api_backend-sa\" "
        "{\n  project  = \"my-project\"\n  location = \"us-central1\"\n"
        "  name     = \"backend-api\"\n  role     = \"roles/run.invoker\"\n"
        "  member   = \"serviceAccount:" BACKEND "\"\n}");
    const json_t *near = json_object_get(j, "nearest");
    ck_assert_str_eq(text_of(near, "on"), "service db-service");
    ck_assert_str_eq(text_of(near, "at"), "t.yaml:7:3");
    ck_assert_uint_eq(json_array_size(json_object_get(j, "checks")), 17);
    const json_t *claims_told = json_object_get(json_object_get(j, "facts"), "claims");
    ck_assert_str_eq(text_of(claims_told, "email"), "x@y.example");
    ck_assert_ptr_null(json_object_get(j, "binding"));
}
END_TEST

START_TEST(one_is_found_by_the_beginning_of_its_id)
{
    record r = record_refusal();
    recent_add(ring, &r);
    r.insert_id[0]++;
    recent_add(ring, &r);
    recent_query q = {.limit = 5, .id = "66376033"};
    recent_collect(ring, &q, &items, &count);
    ck_assert_uint_eq(count, 2);
    q = (recent_query){.limit = 5, .id = RECORD_INSERT_ID};
    recent_collect(ring, &q, &items, &count);
    ck_assert_uint_eq(count, 3);
    q = (recent_query){.limit = 5, .id = "76376033"};
    recent_collect(ring, &q, &items, &count);
    ck_assert_uint_eq(count, 3);
    q = (recent_query){.limit = 5, .allowed = true};
    recent_collect(ring, &q, &items, &count);
    ck_assert_uint_eq(count, 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recent evidence");
    TCase *t = tcase_create("recent evidence");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_refusal_comes_back_as_it_was_decided);
    tcase_add_test(t, a_pass_comes_back_with_its_binding_and_the_audience_that_counted);
    tcase_add_test(t, a_token_that_is_too_long_or_none_leaves_no_claims);
    tcase_add_test(t, the_longest_texts_fit);
    tcase_add_test(t, the_json_of_a_refusal_has_all_that_is_known);
    tcase_add_test(t, one_is_found_by_the_beginning_of_its_id);
    suite_add_tcase(s, t);
    return check_main(s);
}
