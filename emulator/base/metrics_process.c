/* The process_* metrics that Prometheus' own client libraries export, from /proc/self. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/build.h"
#include "base/metrics.h"

typedef struct memory {
    uint64_t resident, total; /* bytes; 0: unknown */
} memory;

static memory read_memory(void)
{
    memory m = {0};
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return m;
    char line[128] = "";
    if (!fgets(line, sizeof line, f))
        line[0] = '\0';
    (void)fclose(f);
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    span rest = span_of(line);
    span total, resident;
    (void)span_cut(&rest, ' ', &total);
    (void)span_cut(&rest, ' ', &resident);
    if (span_u64(total, UINT64_MAX / page, &m.total) &&
        span_u64(resident, UINT64_MAX / page, &m.resident))
        return (memory){m.resident * page, m.total * page};
    return (memory){0};
}

uint64_t process_resident_bytes(void)
{
    return read_memory().resident;
}

static int64_t cpu_us(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Without ".", ".." and the one that looks. 0: unknown. */
static uint64_t open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    if (!d)
        return 0;
    uint64_t n = 0;
    while (readdir(d)) /* a stream of our own: no other thread reads it */
        n++;
    (void)closedir(d);
    return n > 3 ? n - 3 : 0;
}

static uint64_t most_descriptors(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (uint64_t)limit.rlim_cur : 0;
}

void metrics_of_process(buf *b, int64_t started_us)
{
    const memory m = read_memory();
    const metric_label build[] = {{"version", SPAN_LIT(BUILD_VERSION)},
                                  {"compiler", span_trim(SPAN_LIT(BUILD_COMPILER))},
                                  {0}};
    metric_family(b, "invoker_build_info", METRIC_GAUGE, "Which build this is; always 1.");
    metric_sample(b, "invoker_build_info", build, 1);
    metric_family(b, "process_start_time_seconds", METRIC_GAUGE,
                  "Start time of the process since the Unix epoch.");
    metric_seconds(b, "process_start_time_seconds", NULL, started_us);
    metric_family(b, "process_cpu_seconds_total", METRIC_COUNTER,
                  "User and system CPU time of all threads.");
    metric_seconds(b, "process_cpu_seconds_total", NULL, cpu_us());
    metric_single(b, "process_resident_memory_bytes", METRIC_GAUGE, "Resident memory.", m.resident);
    metric_single(b, "process_virtual_memory_bytes", METRIC_GAUGE, "Virtual memory.", m.total);
    metric_single(b, "process_open_fds", METRIC_GAUGE, "Open file descriptors.",
                  open_descriptors());
    metric_single(b, "process_max_fds", METRIC_GAUGE, "Most file descriptors that may be open.",
                  most_descriptors());
}
