/* The descriptions of predefined roles against what the decision takes them for. */
#include "base/attr.h"
#include "check_main.h"
#include "control/iam_permission.h"
#include "control/iam_role_table.h"
#include "policy/role.h"

static const char *const evaluated[] = {PERMISSION_INVOKE,    PERMISSION_ACCESS_TOKEN,
                                        PERMISSION_ID_TOKEN,  PERMISSION_IMPLICIT_DELEGATION,
                                        PERMISSION_SIGN_BLOB, PERMISSION_SIGN_JWT};

static bool described(const iam_role *r, const char *permission)
{
    span rest = span_of(r->permissions), one;
    while (rest.n > 0) {
        (void)span_cut(&rest, ' ', &one);
        if (span_eq_str(one, permission))
            return true;
    }
    return false;
}

static bool counted(const iam_role *r, const char *permission)
{
    const char *const *held = role_permissions(span_of(r->name));
    for (; held && *held; held++)
        if (strcmp(*held, permission) == 0)
            return true;
    return false;
}

START_TEST(a_role_is_described_as_it_counts)
{
    for (size_t i = 0; i < iam_role_count(); i++)
        for (size_t k = 0; k < countof(evaluated); k++) {
            const iam_role *r = iam_role_at(i);
            ck_assert_msg(described(r, evaluated[k]) == counted(r, evaluated[k]), "%s: %s", r->name,
                          evaluated[k]);
        }
}
END_TEST

START_TEST(roles_are_in_order_and_whole)
{
    for (size_t i = 0; i < iam_role_count(); i++) {
        const iam_role *r = iam_role_at(i);
        ck_assert_ptr_eq(iam_role_find(span_of(r->name)), r);
        ck_assert(*r->title && *r->description && *r->permissions);
        ck_assert(i == 0 || strcmp(iam_role_at(i - 1)->name, r->name) < 0);
    }
    ck_assert_ptr_null(iam_role_find(SPAN_LIT("roles/run")));
}
END_TEST

START_TEST(every_permission_is_listed_once_and_is_one)
{
    char **all = iam_permissions();
    ck_assert_ptr_nonnull(all[0]);
    for (size_t i = 0; all[i]; i++) {
        json_auto_t *text = json_string(all[i]);
        ck_assert_msg(iam_permission_is_sound(text), "%s", all[i]);
        ck_assert(i == 0 || strcmp(all[i - 1], all[i]) < 0);
    }
    iam_permissions_free(all);
    iam_permissions_free(NULL);
}
END_TEST

static const struct {
    const char *json;
    bool sound;
} permissions[] = {
    {"\"run.routes.invoke\"", true},
    {"\"iam.serviceAccounts.getAccessToken\"", true},
    {"\"a.b.c.d\"", true},
    {"\"run.routes\"", false},
    {"\"run.routes.\"", false},
    {"\"run..invoke\"", false},
    {"\".routes.invoke\"", false},
    {"\"run.routes.*\"", false},
    {"\"\"", false},
    {"5", false},
    {"null", false},
};

START_TEST(a_permission_has_three_parts)
{
    json_error_t why;
    json_auto_t *p = json_loads(permissions[_i].json, JSON_DECODE_ANY, &why);
    ck_assert_msg(iam_permission_is_sound(p) == permissions[_i].sound, "%s", permissions[_i].json);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("iam_roles");
    TCase *t = tcase_create("iam_roles");
    tcase_add_test(t, a_role_is_described_as_it_counts);
    tcase_add_test(t, roles_are_in_order_and_whole);
    tcase_add_test(t, every_permission_is_listed_once_and_is_one);
    tcase_add_loop_test(t, a_permission_has_three_parts, 0, countof(permissions));
    suite_add_tcase(s, t);
    return check_main(s);
}
