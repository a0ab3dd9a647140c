#include "control/later.h"

#include <stdlib.h>

struct later {
    http_request *request; /* NULL: the client left */
};

static void on_gone(void *ctx)
{
    later *l = ctx;
    l->request = NULL;
}

later *later_begin(http_request *r)
{
    later *l = malloc(sizeof *l);
    if (!l)
        abort();
    l->request = r;
    http_defer(r, on_gone, l);
    return l;
}

http_request *later_end(later *l)
{
    http_request *r = l->request;
    free(l);
    return r;
}
