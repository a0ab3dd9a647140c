/* What can be counted of a topology and of its changes. */
#include "base/metrics.h"
#include "state/live.h"

static void add_reloads(buf *b, reload_history c)
{
    static const char name[] = "invoker_topology_reloads_total";
    metric_family(b, name, METRIC_COUNTER,
                  "How often the topology's files were read again; failed: and not taken over.");
    metric_sample(b, name, (metric_label[]){{"result", SPAN_LIT("ok")}, {0}}, c.taken);
    metric_sample(b, name, (metric_label[]){{"result", SPAN_LIT("failed")}, {0}}, c.refused);
    metric_family(b, "invoker_topology_loaded_timestamp_seconds", METRIC_GAUGE,
                  "When the topology's files were last taken over.");
    metric_seconds(b, "invoker_topology_loaded_timestamp_seconds", NULL, c.taken_us);
}

void live_metrics(const live *v, buf *b)
{
    const snapshot *s = live_snapshot(v);
    static const char name[] = "invoker_topology_size";
    const struct {
        span what;
        uint64_t count;
    } all[] = {{SPAN_LIT("services"), snapshot_service_count(s)},
               {SPAN_LIT("accounts"), snapshot_account_count(s)},
               {SPAN_LIT("bindings"), snapshot_binding_count(s)},
               {SPAN_LIT("deny_rules"), snapshot_deny_count(s)},
               {SPAN_LIT("custom_roles"), snapshot_role_count(s)}};
    add_reloads(b, live_reloads(v));
    metric_family(b, name, METRIC_GAUGE, "What the topology holds, the state included.");
    for (size_t i = 0; i < countof(all); i++) {
        const metric_label labels[] = {{"what", all[i].what}, {0}};
        metric_sample(b, name, labels, all[i].count);
    }
    metric_single(b, "invoker_state_serial", METRIC_GAUGE,
                  "The serial of the state that the APIs change.", state_serial(live_state(v)));
}
