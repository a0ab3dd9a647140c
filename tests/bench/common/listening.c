#include "common/listening.h"

#include <stdio.h>

void listening_run(net_accept_fn on_accept)
{
    error e = {0};
    net_addr a;
    int fd = -1;
    loop *l = loop_new(&e);
    if (l && net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, &e))
        fd = net_listen(&a, false, &e);
    if (fd < 0 || !net_local(fd, &a) || !net_acceptor_open(l, fd, on_accept, l, &e)) {
        (void)fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
    (void)printf("%u\n", net_addr_port(&a));
    (void)fflush(stdout);
    loop_run(l);
    exit(0);
}
