/* /proc/net/tcp has a line for each socket with its inode; /proc/PID/fd/N links to
 * "socket:[INODE]". Formats: proc(5), Linux' Documentation/networking/proc_net_tcp.rst. */
#include "cli/listeners_proc.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/attr.h"

enum { TABLE_MAX = 16 * 1024 * 1024, FIELDS = 10, PATH_TEXT_MAX = 128, LINK_TEXT_MAX = 64 };

#define LISTENING "0A" /* TCP_LISTEN, as the kernel prints it */

typedef struct listener {
    net_addr address;
    unsigned uid;
    unsigned long inode;
    long pid;
} listener;

struct listeners_proc {
    listener *items;
    size_t count, cap;
};

/* ---- the tables ---- */

/* "0100007F:1F90": 32-bit words in the machine's byte order, as the kernel prints them. */
static bool parse_address(span text, net_addr *out)
{
    span ip;
    if (!span_cut(&text, ':', &ip) || (ip.n != 8 && ip.n != 32))
        return false;
    uint32_t words[4] = {0};
    for (size_t i = 0; i < ip.n / 8; i++) {
        char word[9] = "";
        memcpy(word, ip.p + 8 * i, 8);
        words[i] = (uint32_t)strtoul(word, NULL, 16);
    }
    char port[8] = "";
    memcpy(port, text.p, text.n < sizeof port ? text.n : sizeof port - 1);
    memset(out, 0, sizeof *out);
    if (ip.n == 8) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        memcpy(&in.sin_addr, words, 4);
        memcpy(&out->ss, &in, sizeof in);
        out->len = sizeof in;
    } else {
        struct sockaddr_in6 in = {.sin6_family = AF_INET6};
        memcpy(&in.sin6_addr, words, 16);
        memcpy(&out->ss, &in, sizeof in);
        out->len = sizeof in;
    }
    net_addr_set_port(out, (uint16_t)strtoul(port, NULL, 16));
    return true;
}

static size_t fields_of(span line, span out[FIELDS])
{
    size_t n = 0;
    while (n < FIELDS) {
        line = span_trim(line);
        if (!line.n)
            break;
        (void)span_cut(&line, ' ', &out[n++]);
    }
    return n;
}

static void take_line(listeners_proc *l, span line)
{
    span f[FIELDS];
    uint64_t uid = 0, inode = 0;
    listener one = {0};
    if (fields_of(line, f) < FIELDS || !span_eq_str(f[3], LISTENING) ||
        !parse_address(f[1], &one.address) || !span_u64(f[7], UINT32_MAX, &uid) ||
        !span_u64(f[9], UINT64_MAX, &inode))
        return;
    one.uid = (unsigned)uid;
    one.inode = (unsigned long)inode;
    l->items = array_room(l->items, l->count, &l->cap, sizeof *l->items);
    l->items[l->count++] = one;
}

/* Files in /proc have no size, so they are read as a stream. */
static void read_table(listeners_proc *l, const char *path)
{
    FILE *f = fopen(path, "re");
    char line[512];
    size_t total = 0;
    while (f && total < TABLE_MAX && fgets(line, sizeof line, f)) {
        const size_t n = strcspn(line, "\n");
        total += n;
        take_line(l, (span){line, n});
    }
    if (f)
        (void)fclose(f);
}

/* ---- whose they are ---- */

static void take_link(listeners_proc *l, long pid, const char *link)
{
    unsigned long inode = 0;
    static const char start[] = "socket:[";
    if (strncmp(link, start, sizeof start - 1) != 0)
        return;
    inode = strtoul(link + sizeof start - 1, NULL, 10);
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].inode == inode && !l->items[i].pid)
            l->items[i].pid = pid;
}

static void read_process(listeners_proc *l, long pid)
{
    char path[PATH_TEXT_MAX], link[LINK_TEXT_MAX];
    (void)snprintf(path, sizeof path, "/proc/%ld/fd", pid);
    DIR *dir = opendir(path);
    for (const struct dirent *one; dir && (one = readdir(dir));) {
        const ssize_t n = readlinkat(dirfd(dir), one->d_name, link, sizeof link - 1);
        if (n <= 0)
            continue;
        link[n] = '\0';
        take_link(l, pid, link);
    }
    if (dir)
        (void)closedir(dir);
}

static void read_processes(listeners_proc *l)
{
    DIR *proc = opendir("/proc");
    for (const struct dirent *one; proc && (one = readdir(proc));) {
        char *end = NULL;
        const long pid = strtol(one->d_name, &end, 10);
        if (pid > 0 && *end == '\0')
            read_process(l, pid);
    }
    if (proc)
        (void)closedir(proc);
}

listeners_proc *listeners_proc_read(void)
{
    listeners_proc *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    read_table(l, "/proc/net/tcp");
    read_table(l, "/proc/net/tcp6");
    if (l->count)
        read_processes(l);
    return l;
}

void listeners_proc_free(listeners_proc *l)
{
    if (!l)
        return;
    free(l->items);
    free(l);
}

void process_command(long pid, char out[64])
{
    char path[PATH_TEXT_MAX];
    (void)snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    out[0] = '\0';
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    if (fgets(out, 64, f))
        out[strcspn(out, "\n")] = '\0';
    (void)fclose(f);
}

static bool is_any(const net_addr *a)
{
    char ip[NET_ADDR_TEXT_MAX];
    (void)net_addr_ip(a, ip);
    return strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0;
}

port_holder listeners_proc_find(const listeners_proc *l, const net_addr *a)
{
    port_holder h = {0};
    for (size_t i = 0; i < l->count; i++) {
        const listener *one = &l->items[i];
        if (net_addr_port(&one->address) != net_addr_port(a) ||
            !(net_addr_same_ip(&one->address, a) || is_any(&one->address) || is_any(a)))
            continue;
        h = (port_holder){.listens = true, .pid = one->pid, .uid = one->uid};
        if (h.pid)
            process_command(h.pid, h.command);
        if (h.pid)
            return h;
    }
    return h;
}
