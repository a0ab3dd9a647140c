/* Names and texts of families are ours; the values of labels are anybody's. */
#include "base/metrics.h"

#include <stdlib.h>

static const char *const kind_names[] = {
    [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};

void metric_family(buf *b, const char *name, metric_kind kind, const char *help)
{
    buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind_names[kind]);
}

static void add_value(buf *b, span s)
{
    while (s.n) {
        const size_t n = utf8_length(s);
        const char c = s.p[0];
        if (!n)
            buf_fmt(b, "\\\\x%02x", (unsigned char)c);
        else if (c == '\n')
            buf_str(b, "\\n");
        else if (c == '"' || c == '\\')
            buf_fmt(b, "\\%c", c);
        else
            buf_add(b, s.p, n);
        s = span_from(s, n ? n : 1);
    }
}

/* {a="…",b="…"}; last (nullable) stands behind the others. */
static void add_labels(buf *b, const metric_label *labels, const char *last_name, span last)
{
    char before = '{';
    for (; labels && labels->name; labels++) {
        buf_fmt(b, "%c%s=\"", before, labels->name);
        add_value(b, labels->value);
        buf_char(b, '"');
        before = ',';
    }
    if (last_name) {
        buf_fmt(b, "%c%s=\"%.*s\"", before, last_name, SPAN_ARG(last));
        before = ',';
    }
    if (before == ',')
        buf_char(b, '}');
}

/* Without a fraction where there is none: 0.0025, 60, 1783242612.5. */
static void add_seconds(buf *b, int64_t us)
{
    const uint64_t size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    char digits[8];
    size_t n = 6;
    uint64_t fraction = size % 1000000;
    for (size_t i = n; i-- > 0; fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    while (n && digits[n - 1] == '0')
        n--;
    if (us < 0)
        buf_char(b, '-');
    buf_u64(b, size / 1000000);
    if (n)
        buf_char(b, '.');
    buf_add(b, digits, n);
}

void metric_sample(buf *b, const char *name, const metric_label *labels, uint64_t value)
{
    buf_str(b, name);
    add_labels(b, labels, NULL, (span){0});
    buf_char(b, ' ');
    buf_u64(b, value);
    buf_char(b, '\n');
}

void metric_seconds(buf *b, const char *name, const metric_label *labels, int64_t us)
{
    buf_str(b, name);
    add_labels(b, labels, NULL, (span){0});
    buf_char(b, ' ');
    add_seconds(b, us);
    buf_char(b, '\n');
}

void metric_single(buf *b, const char *name, metric_kind kind, const char *help, uint64_t value)
{
    metric_family(b, name, kind, help);
    metric_sample(b, name, NULL, value);
}

static void add_bucket(buf *b, const char *name, const metric_label *labels, span le, uint64_t n)
{
    buf_fmt(b, "%s_bucket", name);
    add_labels(b, labels, "le", le);
    buf_char(b, ' ');
    buf_u64(b, n);
    buf_char(b, '\n');
}

void metric_histogram_sample(buf *b, const char *name, const metric_label *labels,
                             const metric_histogram *h)
{
    uint64_t below = 0;
    for (size_t i = 0; i < h->bound_count; i++) {
        auto_buf buf le = buf_make(32);
        add_seconds(&le, h->bounds_us[i]);
        below += h->counts[i];
        add_bucket(b, name, labels, buf_view(&le), below);
    }
    add_bucket(b, name, labels, SPAN_LIT("+Inf"), h->total);
    buf_fmt(b, "%s_sum", name);
    add_labels(b, labels, NULL, (span){0});
    buf_char(b, ' ');
    add_seconds(b, h->sum_us);
    buf_fmt(b, "\n%s_count", name);
    add_labels(b, labels, NULL, (span){0});
    buf_char(b, ' ');
    buf_u64(b, h->total);
    buf_char(b, '\n');
}
