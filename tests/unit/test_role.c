/* Which roles contain run.routes.invoke. */
#include "check_main.h"
#include "policy/role.h"

#include "base/attr.h"

static const struct {
    const char *name;
    role_verdict verdict;
} roles[] = {
    {"roles/run.invoker", ROLE_WITH_INVOKE},
    {"roles/run.servicesInvoker", ROLE_WITH_INVOKE},
    {"roles/run.admin", ROLE_WITH_INVOKE},
    {"roles/run.developer", ROLE_WITH_INVOKE},
    {"roles/run.editor", ROLE_WITH_INVOKE},
    {"roles/run.sourceDeveloper", ROLE_WITH_INVOKE},
    {"roles/owner", ROLE_WITH_INVOKE},
    {"roles/editor", ROLE_WITH_INVOKE},
    {"roles/viewer", ROLE_WITHOUT_INVOKE},
    {"roles/run.viewer", ROLE_WITHOUT_INVOKE},
    {"roles/run.builder", ROLE_WITHOUT_INVOKE},
    {"roles/run.jobsExecutor", ROLE_WITHOUT_INVOKE},
    {"roles/cloudfunctions.invoker", ROLE_WITHOUT_INVOKE},
    {"roles/cloudfunctions.admin", ROLE_WITH_INVOKE},
    {"roles/firebase.admin", ROLE_WITH_INVOKE},
    {"roles/monitoring.notificationServiceAgent", ROLE_WITH_INVOKE},
    {"roles/run.Invoker", ROLE_UNKNOWN},
    {"run.invoker", ROLE_UNKNOWN},
    {"roles/run.invoker ", ROLE_UNKNOWN},
    {"projects/p/roles/custom", ROLE_UNKNOWN},
    {"", ROLE_UNKNOWN},
};

START_TEST(a_role_invokes_as_published)
{
    ck_assert_int_eq(role_can_invoke(span_of(roles[_i].name)), roles[_i].verdict);
}
END_TEST

START_TEST(twenty_seven_predefined_roles_can_invoke)
{
    size_t n = 0;
    for (const char *const *name = role_names(); *name; name++) {
        ck_assert_int_ne(role_can_invoke(span_of(*name)), ROLE_UNKNOWN);
        n += role_can_invoke(span_of(*name)) == ROLE_WITH_INVOKE;
    }
    ck_assert_uint_eq(n, 27);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("role");
    TCase *t = tcase_create("role");
    tcase_add_loop_test(t, a_role_invokes_as_published, 0, (int)countof(roles));
    tcase_add_test(t, twenty_seven_predefined_roles_can_invoke);
    suite_add_tcase(s, t);
    return check_main(s);
}
