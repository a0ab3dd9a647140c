/* The yardstick for the metadata server: libmicrohttpd answering a constant, one epoll thread. */
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct MHD_Response *constant;

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_n, void **state)
{
    (void)ctx;
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_n;
    static int seen;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    return MHD_queue_response(c, 200, constant);
}

int main(void)
{
    static char body[800]; /* about an identity token */
    memset(body, 'x', sizeof body);
    constant = MHD_create_response_from_buffer(sizeof body, body, MHD_RESPMEM_PERSISTENT);
    (void)MHD_add_response_header(constant, "Metadata-Flavor", "Google");
    (void)MHD_add_response_header(constant, "Content-Type", "text/html");
    sigset_t stop;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &stop, NULL);
    struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer,
                                            NULL, MHD_OPTION_END);
    if (!d)
        return 1;
    (void)printf("%u\n", MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
    (void)fflush(stdout);
    int signo;
    (void)sigwait(&stop, &signo);
    MHD_stop_daemon(d);
    MHD_destroy_response(constant);
    return 0;
}
