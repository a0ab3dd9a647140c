/* One entry point per command; each lives in cmd_NAME.c and returns the exit status (cli.h). */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

int cmd_up(int argc, char **argv);
int cmd_metadata(int argc, char **argv);
int cmd_gateway(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_env(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_matrix(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_reset(int argc, char **argv);
int cmd_learn(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_keys(int argc, char **argv);
int cmd_ca(int argc, char **argv);
int cmd_gcloud(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_echo(int argc, char **argv);
int cmd_lesson(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_help(int argc, char **argv);

#endif
