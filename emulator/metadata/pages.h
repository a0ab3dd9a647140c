/* Error pages in the look that Google's front ends give them. */
#ifndef METADATA_PAGES_H
#define METADATA_PAGES_H

#include "base/buf.h"

/* "Error 404 (Not Found)!!1"; the path is echoed, escaped. */
void page_not_found(span path, buf *out);
/* 403; why is put between the two standard sentences ("Missing Metadata-Flavor:Google header."). */
void page_forbidden(span path, const char *why, buf *out);
void page_bad_method(span method, span path, buf *out);

#endif
