/* Where the database file is. */
#ifndef DB_SERVICE_DB_PATH_H
#define DB_SERVICE_DB_PATH_H

#include "../common/problem.h"

/* $DB_PATH as it is, else NAME/items.db in the user's folder for program state, which is made; NAME
 * is $K_SERVICE or db-service. The caller frees. */
bool db_path(char **out_path, problem *p);

#endif
