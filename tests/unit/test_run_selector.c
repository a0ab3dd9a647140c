/* Label selectors, as Kubernetes writes them. */
#include "control/run_selector.h"

#include "run_fixture.h"

static const struct {
    const char *selector;
    run_selected verdict;
} rows[] = {
    {"", RUN_SELECTED},
    {"team = a", RUN_SELECTED},
    {"team=a", RUN_SELECTED},
    {"team==a", RUN_SELECTED},
    {"team = b", RUN_NOT_SELECTED},
    {"team != b", RUN_SELECTED},
    {"team!=a", RUN_NOT_SELECTED},
    {"ghost != b", RUN_SELECTED},
    {"ghost = b", RUN_NOT_SELECTED},
    {"empty =", RUN_SELECTED},
    {"team", RUN_SELECTED},
    {"ghost", RUN_NOT_SELECTED},
    {"!ghost", RUN_SELECTED},
    {"!team", RUN_NOT_SELECTED},
    {"team in (a, b)", RUN_SELECTED},
    {"team in (b)", RUN_NOT_SELECTED},
    {"team notin (b,c)", RUN_SELECTED},
    {"team notin (a)", RUN_NOT_SELECTED},
    {"client.knative.dev/nonce = qwertyuiop", RUN_SELECTED},
    {"team = a,client.knative.dev/nonce = qwertyuiop", RUN_SELECTED},
    {"team = a, client.knative.dev/nonce = other", RUN_NOT_SELECTED},
    {"team in (a,b),!ghost", RUN_SELECTED},
    {"= a", RUN_SELECTOR_BROKEN},
    {"team = a b", RUN_SELECTOR_BROKEN},
    {"team a", RUN_SELECTOR_BROKEN},
    {"team in a", RUN_SELECTOR_BROKEN},
    {"team in (a", RUN_SELECTOR_BROKEN},
    {"team !== a", RUN_SELECTOR_BROKEN},
    {"te(am = a", RUN_SELECTOR_BROKEN},
    {"!", RUN_SELECTOR_BROKEN},
    {",", RUN_SELECTOR_BROKEN},
    {"team = b,,", RUN_SELECTOR_BROKEN},
};

START_TEST(all_terms_have_to_hold)
{
    json_auto_t *labels =
        fixture_json("{'team':'a','empty':'','client.knative.dev/nonce':'qwertyuiop'}");
    ck_assert_msg(run_select(span_of(rows[_i].selector), labels) == rows[_i].verdict, "%s",
                  rows[_i].selector);
}
END_TEST

START_TEST(what_has_no_labels_is_selected_by_their_absence)
{
    ck_assert_int_eq(run_select(SPAN_LIT("!team"), NULL), RUN_SELECTED);
    ck_assert_int_eq(run_select(SPAN_LIT("team"), NULL), RUN_NOT_SELECTED);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run_selector");
    TCase *t = tcase_create("run_selector");
    tcase_add_loop_test(t, all_terms_have_to_hold, 0, countof(rows));
    tcase_add_test(t, what_has_no_labels_is_selected_by_their_absence);
    suite_add_tcase(s, t);
    return check_main(s);
}
