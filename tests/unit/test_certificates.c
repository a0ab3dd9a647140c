/* Which names get a certificate, and how long it is kept. */
#include "gateway/certificates.h"

#include "keystore_fixture.h"
#include "pki/ca.h"
#include "policy_fixture.h"

static char authority_dir[96];
static host_names *names;
static upstreams *no_upstreams;
static loop *l;
static certificates *c;
static uint64_t serial;

static void names_changed(void *ctx)
{
    (void)ctx;
}

static view *make_view(snapshot *s)
{
    return view_new(&(view_parts){.serial = ++serial, .snap = s, .upstreams = no_upstreams});
}

static view *new_view(void)
{
    snapshot *s = fixture_tutorial();
    view *v = make_view(s);
    snapshot_unref(s);
    return v;
}

static void set_up(void)
{
    error e = {0};
    fixture_setup();
    (void)snprintf(authority_dir, sizeof authority_dir, "%s/ca", fixture_dir);
    ck_assert_msg(ca_ensure(authority_dir, fixture_clock(), &e), "%s", e.text);
    l = loop_new(NULL);
    names = host_names_open(l, names_changed, NULL);
    no_upstreams = upstreams_new(names);
    c = certificates_new(authority_dir, fixture_clock(), new_view());
}

static void tear_down(void)
{
    certificates_free(c);
    upstreams_free(no_upstreams);
    host_names_close(names);
    loop_free(l);
    fixture_remove_files(authority_dir);
    fixture_teardown();
}

static X509 *find(const char *name)
{
    net_addr local;
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:8080"), &local, NULL));
    if (!certificates_find(c, span_of(name), &local, &cert, &key))
        return NULL;
    ck_assert_int_eq(X509_check_private_key(cert, key), 1);
    return cert;
}

static const char *const ours[] = {
    "backend-api.localhost",
    "BACKEND-api.localhost",
    "backend-api.localhost.",
    "backend-api-123456789012.us-central1.run.app",
    "api.example.test",
    "worker",
    "localhost",
    "",
    "127.0.0.1",
    "::1",
};

START_TEST(a_name_of_the_topology_has_a_certificate)
{
    X509 *cert = find(ours[_i]);
    ck_assert_ptr_nonnull(cert);
    ck_assert_ptr_eq(find(ours[_i]), cert);
}
END_TEST

static const char *const foreign[] = {
    "nobody.localhost",     "example.com",
    "www.api.example.test", ".",
    "us-central1.run.app",  "backend-api-123456789012.europe-west1.run.app",
};

START_TEST(any_other_name_has_none)
{
    ck_assert_ptr_null(find(foreign[_i]));
}
END_TEST

START_TEST(a_name_that_is_too_long_has_none)
{
    char name[300];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    ck_assert_ptr_null(find(name));
}
END_TEST

START_TEST(it_is_kept_as_long_as_the_topology_stands)
{
    X509 *cert = find("localhost");
    (void)X509_up_ref(cert); /* its place is not taken by the next */
    snapshot *s = fixture_tutorial();
    certificates_take_view(c, make_view(s));
    X509 *after = find("localhost");
    ck_assert_ptr_ne(after, cert);
    certificates_take_view(c, make_view(s)); /* keys came, say */
    ck_assert_ptr_eq(find("localhost"), after);
    snapshot_unref(s);
    X509_free(cert);
}
END_TEST

START_TEST(an_authority_that_comes_back_is_used)
{
    auto_free char *key = file_join(authority_dir, "ca.key");
    ck_assert_int_eq(chmod(key, 0644), 0);
    ck_assert_ptr_null(find("localhost"));
    ck_assert_int_eq(chmod(key, 0600), 0);
    ck_assert_ptr_nonnull(find("localhost"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("certificates");
    TCase *t = tcase_create("certificates");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, a_name_of_the_topology_has_a_certificate, 0, (int)countof(ours));
    tcase_add_loop_test(t, any_other_name_has_none, 0, (int)countof(foreign));
    tcase_add_test(t, a_name_that_is_too_long_has_none);
    tcase_add_test(t, it_is_kept_as_long_as_the_topology_stands);
    tcase_add_test(t, an_authority_that_comes_back_is_used);
    suite_add_tcase(s, t);
    return check_main(s);
}
