/* Members as IAM writes them. */
#include "check_main.h"
#include "policy/member.h"

static const struct {
    const char *text;
    member_kind kind;
    const char *id;
} good[] = {
    {"allUsers", MEMBER_ALL_USERS, ""},
    {"allAuthenticatedUsers", MEMBER_ALL_AUTHENTICATED, ""},
    {"user:alice@example.com", MEMBER_USER, "alice@example.com"},
    {"serviceAccount:a@p.iam.gserviceaccount.com", MEMBER_SERVICE_ACCOUNT,
     "a@p.iam.gserviceaccount.com"},
    {"serviceAccount:1-compute@developer.gserviceaccount.com", MEMBER_SERVICE_ACCOUNT,
     "1-compute@developer.gserviceaccount.com"},
    {"serviceAccount:p.svc.id.goog[ns/ksa]", MEMBER_SERVICE_ACCOUNT, "p.svc.id.goog[ns/ksa]"},
    {"group:team@example.com", MEMBER_GROUP, "team@example.com"},
    {"domain:example.com", MEMBER_DOMAIN, "example.com"},
    {"principal://iam.googleapis.com/projects/1/x/subject/S", MEMBER_PRINCIPAL,
     "//iam.googleapis.com/projects/1/x/subject/S"},
    {"principalSet://iam.googleapis.com/projects/1/x/*", MEMBER_PRINCIPAL_SET,
     "//iam.googleapis.com/projects/1/x/*"},
    {"deleted:user:a@example.com?uid=12", MEMBER_DELETED, "user:a@example.com?uid=12"},
    {"projectOwner:my-project", MEMBER_PROJECT_OWNER, "my-project"},
    {"projectEditor:my-project", MEMBER_PROJECT_EDITOR, "my-project"},
    {"projectViewer:my-project", MEMBER_PROJECT_VIEWER, "my-project"},
};

START_TEST(each_documented_form_is_taken)
{
    member m;
    error e = {0};
    ck_assert_msg(member_parse(span_of(good[_i].text), &m, &e), "%s", e.text);
    ck_assert_int_eq(m.kind, good[_i].kind);
    ck_assert_msg(span_eq_str(m.id, good[_i].id), "%.*s", SPAN_ARG(m.id));
}
END_TEST

/* What is refused, and what the message says to write instead. */
static const char *const bad[][2] = {
    {"", "expected allUsers"},
    {"alice@example.com", "write \"user:alice@example.com\""},
    {"a@p.iam.gserviceaccount.com", "write \"serviceAccount:a@p.iam.gserviceaccount.com\""},
    {"User:alice@example.com", "write \"user\" (case counts)"},
    {"serviceaccount:a@p.iam.gserviceaccount.com", "write \"serviceAccount\""},
    {"allusers", "write \"allUsers\""},
    {"allUsers:x", "stand alone"},
    {"robot:a@example.com", "expected allUsers"},
    {"user:", "e-mail"},
    {"user:alice", "e-mail"},
    {"user:@example.com", "e-mail"},
    {"user:alice@example", "e-mail"},
    {"user:al ice@example.com", "e-mail"},
    {"user:alice@example..com", "e-mail"},
    {"user:alice@bob@example.com", "e-mail"},
    {"user:a@p.iam.gserviceaccount.com", "write serviceAccount:"},
    {"serviceAccount:alice@example.com", ".gserviceaccount.com"},
    {"serviceAccount:p.svc.id.goog[ns/]", "e-mail"},
    {"domain:example", "domain"},
    {"domain:.example.com", "domain"},
    {"principal:x", "//iam.googleapis.com/"},
    {"deleted:x", "deleted:KIND"},
    {"projectOwner:", "project id"},
};

START_TEST(anything_else_is_refused_with_the_cure)
{
    member m = {MEMBER_DOMAIN, SPAN_LIT("untouched")};
    error e = {0};
    ck_assert_msg(!member_parse(span_of(bad[_i][0]), &m, &e), "%s was taken", bad[_i][0]);
    ck_assert_msg(strstr(e.text, bad[_i][1]) != NULL, "%s: %s", bad[_i][0], e.text);
    ck_assert(span_eq_str(m.id, "untouched"));
}
END_TEST

START_TEST(an_email_tells_its_kind)
{
    ck_assert_int_eq(member_kind_of_email(SPAN_LIT("alice@example.com")), MEMBER_USER);
    ck_assert_int_eq(member_kind_of_email(SPAN_LIT("a@p.iam.gserviceaccount.com")),
                     MEMBER_SERVICE_ACCOUNT);
    ck_assert_int_eq(member_kind_of_email(SPAN_LIT("a@gserviceaccount.com.example.com")),
                     MEMBER_USER);
    ck_assert_str_eq(member_prefix(MEMBER_PRINCIPAL_SET), "principalSet");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("member");
    TCase *t = tcase_create("member");
    tcase_add_loop_test(t, each_documented_form_is_taken, 0, (int)countof(good));
    tcase_add_loop_test(t, anything_else_is_refused_with_the_cure, 0, (int)countof(bad));
    tcase_add_test(t, an_email_tells_its_kind);
    suite_add_tcase(s, t);
    return check_main(s);
}
