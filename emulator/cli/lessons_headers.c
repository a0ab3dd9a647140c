#include "cli/lesson.h"

const lesson lessons_headers[] = {{.name = NULL}};
