#include "cli/lesson.h"

const lesson lessons_grants[] = {{.name = NULL}};
