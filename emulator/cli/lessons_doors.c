#include "cli/lesson.h"

const lesson lessons_doors[] = {{.name = NULL}};
