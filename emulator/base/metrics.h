/* Numbers for Prometheus: the text exposition format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/buf.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM } metric_kind;

typedef struct metric_label {
    const char *name; /* NULL ends a list */
    span value;       /* any bytes; what is not UTF-8 becomes "\xNN" */
} metric_label;

/* Begins a family: all of its samples follow, before the next one begins. help: one line. */
void metric_family(buf *b, const char *name, metric_kind kind, const char *help);
/* labels: NULL, or a list that no other sample of the family has. */
void metric_sample(buf *b, const char *name, const metric_label *labels, uint64_t value);
/* Microseconds, shown as seconds. */
void metric_seconds(buf *b, const char *name, const metric_label *labels, int64_t us);

/* A family with one sample that has no labels. */
void metric_single(buf *b, const char *name, metric_kind kind, const char *help, uint64_t value);

/* counts[i]: of bounds_us[i] or less, and more than the bound before; total: with those beyond the
 * last bound. The family is in seconds. */
typedef struct metric_histogram {
    const int64_t *bounds_us;
    const uint64_t *counts;
    size_t bound_count;
    uint64_t total;
    int64_t sum_us;
} metric_histogram;
void metric_histogram_sample(buf *b, const char *name, const metric_label *labels,
                             const metric_histogram *h);

/* What this process is and uses: process_* and invoker_build_info. started_us: wall clock. */
void metrics_of_process(buf *b, int64_t started_us);

/* Resident memory. */
uint64_t process_resident_bytes(void);

#endif
