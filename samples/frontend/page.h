/* The page that people see. */
#ifndef FRONTEND_PAGE_H
#define FRONTEND_PAGE_H

#include "../common/reply.h"

reply page_reply(void);

#endif
