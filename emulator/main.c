/* invoker: hands over to a subcommand. The table below is the single list of them; `invoker help`
 * is printed from it. */
#include "cli/cli.h"
#include "cli/commands.h"

const cli_command cli_commands[] = {
    {"up", "[-- CMD...]", "start everything: metadata server, gateway and the services",
     "Starts the metadata server, the gateway and every service of the topology that has a "
     "command:, restarts what dies, and follows changes of the file. When everything answers, the "
     "addresses are printed on stdout (with --json as exactly one line). SIGTERM and SIGINT stop "
     "everything.\n\nWith CMD: runs it as soon as everything answers, with every service's URL in "
     "its environment (BACKEND_API_URL, ... and INVOKER_CONTROL, INVOKER_INGRESS, "
     "INVOKER_METADATA, INVOKER_CA), then stops everything and exits with CMD's status. Services "
     "and CMD trust the local certificate authority, and reach every service under its production "
     "URL by way of the ingress.",
     cmd_up},
    {"metadata", "", "run the metadata server alone",
     "Serves the computeMetadata tree, identity and access tokens and the public certificates to "
     "each service of the topology.",
     cmd_metadata},
    {"gateway", "", "run the gateway alone",
     "Accepts requests for every service of the topology, judges them as Cloud Run's invoker check "
     "does and passes the allowed ones on.",
     cmd_gateway},
    {"run", "SERVICE -- CMD...", "run CMD as a service's container",
     "Runs CMD with the environment that Cloud Run gives to SERVICE's container (PORT, K_SERVICE, "
     "K_REVISION, K_CONFIGURATION), the service's env: from the topology, GCE_METADATA_*, and what "
     "`invoker env` prints for HTTP clients. As soon as it listens on $PORT, the running gateway "
     "sends the service's requests to it; when it ends, it is detached. Exits with CMD's status.",
     cmd_run},
    {"env", "SERVICE", "print the variables that make a process be SERVICE",
     "Prints the environment that lets an unchanged Google client library, in any language, act as "
     "SERVICE: eval \"$(invoker env backend-api)\". With it, HTTP clients trust the local "
     "certificate authority (made when missing) and use the ingress as their proxy, which knows "
     "every service by its production URL.",
     cmd_env},
    {"token", "", "mint an identity token, good or bad in a chosen way",
     "Prints a token as the metadata server would mint it for a service account. The options that "
     "break it on purpose help to test how a caller is refused.",
     cmd_token},
    {"inspect", "[TOKEN]", "decode a token and say what is wrong with it",
     "Decodes a token (from stdin when it is left out or '-'), verifies its signature with the "
     "emulator's keys and says in words what it is good for.",
     cmd_inspect},
    {"matrix", "", "show who may invoke what",
     "Prints the caller x service matrix that results from matrix:, policies and groups.",
     cmd_matrix},
    {"why", "[ID]", "explain the decision about one call",
     "Says check by check whether a call would be allowed, by which binding or why not, and names "
     "what mends it. With an ID (of a log entry's insertId six digits or more) or --last: of a "
     "request that the running gateway has decided.",
     cmd_why},
    {"logs", "[SERVICE]", "show the running gateway's decisions",
     "Prints the last decisions, oldest first, a line for each; under a refusal the cause and what "
     "mends it. With --follow goes on with those that are made from then on, over restarts of the "
     "gateway, until it is stopped. 'invoker why ID' says more of the one with that id, which a "
     "line ends with.",
     cmd_logs},
    {"test", "[FILE...]", "run the tests of topologies",
     "Judges the calls of test files (NAME.test.yaml; all beside the topology when none is named) "
     "and compares with what they expect. Offline no socket is opened: thousands of calls take "
     "milliseconds. Exits with 1 when a test fails or less is covered than --fail-under says, with "
     "2 when a file is not valid.",
     cmd_test},
    {"reset", "", "take the running gateway back to the topology as loaded",
     "For use between tests: what Google's APIs changed since the gateway was started is undone, "
     "also in the folder of --state, and decisions, counts and the containers' log lines are "
     "forgotten. What `invoker run` attached stays, requests under way end as they began, and "
     "tokens stay valid. The same as curl -X POST http://127.0.0.1:8079/reset.",
     cmd_reset},
    {"learn", "[RECORDING...]", "write the least matrix that recorded traffic needs",
     "Reads decisions as --record FILE and `invoker logs -o json` write them ('-': standard "
     "input), or what the running gateway remembers, and prints the matrix: that these calls need, "
     "with comments on who used what and how often, on what the topology grants beyond that, and "
     "on what no grant mends. What was allowed counts, and what audit mode (emulation: { mode: "
     "audit }) let pass although a grant was missing. Exits with 0, with --diff 1 when the "
     "topology's matrix differs, 2 when something cannot be read.",
     cmd_learn},
    {"replay", "[RECORDING...]", "decide recorded calls again under another topology",
     "Reads decisions as `invoker learn` does, decides each call again under the topology, at the "
     "time at which it was made, and lists those whose outcome flips, with cause and cure. What "
     "audit mode let pass counts as passed. Calls that cannot be judged again are listed as "
     "well.\n\nAll grants of the topology count as propagated, and keys are as they were. A token "
     "for the address of a service's listener counts as one for the service's address in the "
     "topology.\n\nExits with 0 when nothing flips, 1 when something does, 2 when something cannot "
     "be read.",
     cmd_replay},
    {"doctor", "[SERVICE]", "find out why a client does not work",
     "Looks at the topology, at what runs, at this shell's variables (or a process': --pid), walks "
     "the way of each of Google's client libraries to its token, and says what is wrong and what "
     "mends it. Nothing is changed; each service gets GET / once as nobody and as a caller that "
     "may. Exits with 0 when nothing is wrong, 1 when something is.",
     cmd_doctor},
    {"check", "FILE...", "check topology files",
     "Reports every problem of the files with its line and column.", cmd_check},
    {"keys", "init|list|rotate", "manage the signing keys",
     "Makes, lists or rotates the keys that sign identity tokens. After a rotation the former key "
     "stays published for a while.",
     cmd_keys},
    {"ca", "init|path|env", "manage the local certificate authority",
     "Makes the authority that signs the gateway's certificates (init), says where its certificate "
     "lies (path), or prints the variables that make clients in any language trust it (env):\neval "
     "\"$(invoker ca env)\".",
     cmd_ca},
    {"gcloud", "env | -- ARG...", "run gcloud, unmodified, against the emulator",
     "gcloud env prints the variable that points gcloud at the running gateway, in this shell "
     "only:\neval \"$(invoker gcloud env)\". gcloud -- ARG... runs gcloud that way with these "
     "arguments and exits with its status (127: gcloud is not installed). gcloud then has a "
     "configuration folder of its own, with the topology's project and region, and is logged in as "
     "--as says; your own configuration and credentials are neither read nor changed, and nothing "
     "reaches Google.",
     cmd_gcloud},
    {"export", "gcloud|terraform|yaml", "print the topology as something else",
     "gcloud: a shell script that recreates the accounts, roles and grants in "
     "production.\nterraform: the same as configuration for the provider hashicorp/google.\nyaml: "
     "a topology that loads; with --state, with what the APIs changed, each such part with a "
     "comment that says so. The file itself is never changed.",
     cmd_export},
    {"import", "[NAME=]FILE...", "make a topology of what gcloud prints",
     "Reads, as YAML or JSON, what these print, and prints a topology of it:\n  gcloud run "
     "services describe SERVICE --format=export   (or list --format=json)   gcloud run services "
     "get-iam-policy SERVICE   gcloud projects get-iam-policy PROJECT   gcloud iam "
     "service-accounts get-iam-policy EMAIL; ... describe EMAIL, ... list   gcloud iam roles "
     "describe ROLE A policy does not say whose it is. NAME does (a service, a service account's "
     "e-mail address, or 'project'), else the file's name: backend-api.yaml, "
     "backend-api-policy.json and backend-api.iam.yaml are backend-api's, project-policy.json is "
     "the project's.",
     cmd_import},
    {"diff", "[NAME=]FILE...", "compare the topology with what gcloud prints",
     "Reads the same files as `invoker import` and prints, a line each, what only the topology "
     "(here) or only a file (there) says of the services, policies, accounts and roles that stand "
     "in the files; what is in no file is not compared. URLs of services within env: count as "
     "equal whatever their form. Exits with 0 when nothing differs, 1 when something does, 2 when "
     "that could not be found out.",
     cmd_diff},
    {"lesson", "[LESSON|all]", "learn what Cloud Run refuses, and why, by doing it",
     "Lists the lessons, or plays one, by its number or name: sets up a scene of its own on free "
     "ports, tells what a developer did, asks what will come of it, waits for the request that you "
     "make in a second terminal, explains the refusal check by check, and has you mend it. With "
     "--auto it does all of that by itself. Nothing is left of the scene at the end. Exits with 0 "
     "when all came out as the lesson says and your answers were right, else with 1.",
     cmd_lesson},
    {"echo", "", "a container that answers with the request it got",
     "Listens on $PORT and answers every request with what of it came in, as JSON; GET "
     "/received/NAME with one header's value, and what a browser asks before a request across "
     "origins with yes. As a topology's command: [invoker, echo] it shows what Cloud Run hands on.",
     cmd_echo},
    {"version", "", "print the version", "Prints the version.", cmd_version},
    {"help", "[CMD]", "explain a command", "Lists the commands, or explains one.", cmd_help},
    {0},
};

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
