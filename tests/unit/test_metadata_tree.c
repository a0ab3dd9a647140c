/* The computeMetadata tree: paths, listings and the three other ways to write a node. */
#include "check_main.h"
#include <stdlib.h>

#include "metadata/answer.h"
#include "metadata/pages.h"
#include "metadata/tree.h"

#define SA    "/computeMetadata/v1/instance/service-accounts/"
#define EMAIL "a-sa@my-project.iam.gserviceaccount.com"
#define SCOPE "https://www.googleapis.com/auth/cloud-platform"

static const tree_view view = {.project_id = {"my-project", 10},
                               .project_number = {"123456789012", 12},
                               .region = {"us-central1", 11},
                               .instance_id = {"00abcdef", 8},
                               .account = {EMAIL, sizeof EMAIL - 1}};

static const struct path_row {
    const char *path;
    tree_match match;
    const char *text; /* of what was found */
} path_rows[] = {
    {"/", TREE_FOUND, "computeMetadata/\n"},
    {"/computeMetadata/", TREE_FOUND, "v1/\n"},
    {"/computeMetadata/v1/", TREE_FOUND, "instance/\nproject/\nuniverse/\n"},
    {"/computeMetadata/v1/instance/", TREE_FOUND, "id\nregion\nservice-accounts/\nzone\n"},
    {"/computeMetadata/v1/project/", TREE_FOUND, "numeric-project-id\nproject-id\n"},
    {"/computeMetadata/v1/universe/", TREE_FOUND, "universe-domain\n"},
    {SA, TREE_FOUND, EMAIL "/\ndefault/\n"},
    {SA "default/", TREE_FOUND, "aliases\nemail\nidentity\nscopes\ntoken\n"},
    {SA EMAIL "/", TREE_FOUND, "aliases\nemail\nidentity\nscopes\ntoken\n"},
    {SA "a-sa%40my-project.iam.gserviceaccount.com/email", TREE_FOUND, EMAIL},
    {SA "default/email", TREE_FOUND, EMAIL},
    {SA "default/aliases", TREE_FOUND, "default"},
    {SA "default/scopes", TREE_FOUND, SCOPE "\n"},
    {"/computeMetadata/v1/project/project-id", TREE_FOUND, "my-project"},
    {"/computeMetadata/v1/project/numeric-project-id", TREE_FOUND, "123456789012"},
    {"/computeMetadata/v1/instance/region", TREE_FOUND,
     "projects/123456789012/regions/us-central1"},
    {"/computeMetadata/v1/instance/zone", TREE_FOUND, "projects/123456789012/zones/us-central1-1"},
    {"/computeMetadata/v1/instance/id", TREE_FOUND, "00abcdef"},
    {"/computeMetadata/v1/universe/universe-domain", TREE_FOUND, "googleapis.com"},
    {"/computeMetadata", TREE_NEEDS_SLASH, NULL},
    {"/computeMetadata/v1", TREE_NEEDS_SLASH, NULL},
    {"/computeMetadata/v1/instance", TREE_NEEDS_SLASH, NULL},
    {SA "default", TREE_NEEDS_SLASH, NULL},
    {SA EMAIL, TREE_NEEDS_SLASH, NULL},
    {"", TREE_NONE, NULL},
    {"//", TREE_NONE, NULL},
    {"/0.1/", TREE_NONE, NULL},
    {"/computeMetadata/v1beta1/", TREE_NONE, NULL},
    {"/computeMetadata/v1//instance/", TREE_NONE, NULL},
    {"/computeMetadata/v1/../v1/", TREE_NONE, NULL},
    {"/computeMetadata/v1/project/project-id/", TREE_NONE, NULL},
    {"/computeMetadata/v1/project/project-id/x", TREE_NONE, NULL},
    {"/computeMetadata/v1/universe/universe_domain", TREE_NONE, NULL},
    {"/computeMetadata/v1/instance/name", TREE_NONE, NULL},
    {"/computeMetadata/v1/instance/hostname", TREE_NONE, NULL},
    {"/computeMetadata/v1/instance/attributes/cluster-name", TREE_NONE, NULL},
    {"/computeMetadata/v1/instance/network-interfaces/", TREE_NONE, NULL},
    {"/computeMetadata/v1/instance/platform-security/auto-mtls-configuration", TREE_NONE, NULL},
    {SA "b-sa@my-project.iam.gserviceaccount.com/token", TREE_NONE, NULL},
    {SA "a-sa@my-project.iam.gserviceaccount.comX/token", TREE_NONE, NULL},
    {SA "a-sa/token", TREE_NONE, NULL},
    {SA "Default/token", TREE_NONE, NULL},
};

START_TEST(a_path_leads_to_what_cloud_run_serves_there)
{
    const struct path_row *row = &path_rows[_i];
    const tree_node *n = NULL;
    tree_match match = tree_find(&view, span_of(row->path), &n);
    ck_assert_msg(match == row->match, "%s: %d", row->path, (int)match);
    if (match != TREE_FOUND)
        return;
    auto_buf buf b = buf_make(4096);
    tree_write_text(&view, n, &b);
    ck_assert_str_eq(b.p ? b.p : "", row->text);
}
END_TEST

static const tree_node *find(const char *path)
{
    const tree_node *n = NULL;
    ck_assert_msg(tree_find(&view, span_of(path), &n) == TREE_FOUND, "%s", path);
    return n;
}

static const struct json_row {
    const char *path, *json;
} json_rows[] = {
    {SA "default/",
     "{\"aliases\":[\"default\"],\"email\":\"" EMAIL "\",\"scopes\":[\"" SCOPE "\"]}"},
    {"/computeMetadata/v1/project/",
     "{\"numericProjectId\":123456789012,\"projectId\":\"my-project\"}"},
    {"/computeMetadata/v1/project/numeric-project-id", "123456789012"},
    {"/computeMetadata/v1/project/project-id", "\"my-project\""},
    {SA "default/scopes", "[\"" SCOPE "\"]"},
    {"/computeMetadata/v1/",
     "{\"instance\":{\"id\":\"00abcdef\",\"region\":\"projects/123456789012/regions/us-central1\","
     "\"serviceAccounts\":{\"" EMAIL "\":{\"aliases\":[\"default\"],\"email\":\"" EMAIL
     "\",\"scopes\":[\"" SCOPE "\"]},\"default\":{\"aliases\":[\"default\"],\"email\":\"" EMAIL
     "\",\"scopes\":[\"" SCOPE "\"]}},\"zone\":\"projects/123456789012/zones/us-central1-1\"},"
     "\"project\":{\"numericProjectId\":123456789012,\"projectId\":\"my-project\"},"
     "\"universe\":{\"universeDomain\":\"googleapis.com\"}}"},
};

START_TEST(json_has_camel_case_keys_and_no_tokens)
{
    auto_buf buf b = buf_make(8192);
    tree_write_json(&view, find(json_rows[_i].path), &b);
    ck_assert_str_eq(b.p, json_rows[_i].json);
}
END_TEST

START_TEST(flat_text_has_dashed_names_and_one_line_for_each_value)
{
    auto_buf buf b = buf_make(8192);
    tree_write_flat(&view, find("/computeMetadata/v1/project/"), &b);
    ck_assert_str_eq(b.p, "numeric-project-id 123456789012\nproject-id my-project\n");
    buf_clear(&b);
    tree_write_flat(&view, find(SA), &b);
    ck_assert_str_eq(b.p, EMAIL "/aliases default\n" EMAIL "/email " EMAIL "\n" EMAIL
                                "/scopes " SCOPE "\ndefault/aliases default\ndefault/email " EMAIL
                                "\ndefault/scopes " SCOPE "\n");
}
END_TEST

START_TEST(content_types_are_google_s)
{
    ck_assert_str_eq(tree_content_type(find("/computeMetadata/v1/instance/region")),
                     "application/text");
    ck_assert_str_eq(tree_content_type(find(SA "default/identity")), "text/html");
    ck_assert_str_eq(tree_content_type(find(SA "default/token")), "application/json");
}
END_TEST

START_TEST(an_etag_is_sixteen_hex_digits_that_follow_the_body)
{
    char a[ETAG_TEXT], b[ETAG_TEXT], c[ETAG_TEXT];
    etag_of(SPAN_LIT("my-project"), a);
    etag_of(SPAN_LIT("my-project"), b);
    etag_of(SPAN_LIT("my-projecu"), c);
    ck_assert_uint_eq(strlen(a), 16);
    ck_assert_uint_eq(strspn(a, "0123456789abcdef"), 16);
    ck_assert_str_eq(a, b);
    ck_assert_str_ne(a, c);
}
END_TEST

START_TEST(the_not_found_page_is_as_long_as_google_s_and_escapes_the_path)
{
    auto_buf buf b = buf_make(8192);
    page_not_found(SPAN_LIT("/computeMetadata/v1/instance/attributes/12345"), &b);
    ck_assert_uint_eq(b.n, 1604 + 45 - 44);
    ck_assert(strstr(b.p, "<title>Error 404 (Not Found)!!1</title>"));
    buf_clear(&b);
    page_not_found(SPAN_LIT("/<script>"), &b);
    ck_assert(strstr(b.p, "<code>/&lt;script&gt;</code>"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metadata_tree");
    TCase *t = tcase_create("tree");
    tcase_add_loop_test(t, a_path_leads_to_what_cloud_run_serves_there, 0, (int)countof(path_rows));
    tcase_add_loop_test(t, json_has_camel_case_keys_and_no_tokens, 0, (int)countof(json_rows));
    tcase_add_test(t, flat_text_has_dashed_names_and_one_line_for_each_value);
    tcase_add_test(t, content_types_are_google_s);
    tcase_add_test(t, an_etag_is_sixteen_hex_digits_that_follow_the_body);
    tcase_add_test(t, the_not_found_page_is_as_long_as_google_s_and_escapes_the_path);
    suite_add_tcase(s, t);
    return check_main(s);
}
