#include "analyze_args.h"

#include <stdlib.h>

#include "waymark/flags.h"

enum { CLUSTER = WM_FLAG_LONG, HOST, NOW, MIGRATION, PROGRESS };

static const struct wm_flag flags[] = {
    {'o', "output", "text|json|yaml", "yaml: the MigrationReports as the aggregator would keep them [text]"},
    {CLUSTER, "cluster", "NAME=PATH",
     "what is in PATH is of the cluster of that MigCluster; may be given again"},
    {HOST, "host", "NAME",
     "what the host cluster is called in the dump [the one with the plans' MigClusters]"},
    {NOW, "now", "TIME", "the time to judge by, as 2026-01-02T03:04:05Z [the youngest time in the dump]"},
    {MIGRATION, "migration", "NAME", "this MigMigration or VMMigration only"},
    {PROGRESS, "progress", NULL, "tell on standard error what is being read, also when that is no terminal"},
    {'v', "verbose", NULL, "say how much was read and left out"},
    {'h', "help", NULL, "print this"},
};
enum { N_FLAGS = sizeof flags / sizeof flags[0] };

static const char INTRO[] =
    "Usage: waymark-aggregator analyze PATH... [OPTIONS]\n\n"
    "Says from a dump where every migration in it stands, what holds it up, and what to do.\n\n"
    "PATH is a folder or an archive of MTC's must-gather (.tar, .tar.gz, ...), any folder or file of YAML "
    "and\n"
    "JSON (single objects, documents, Lists), or - for standard input. No cluster is asked, and nothing is\n"
    "written.\n\n";

static const char NOTES[] =
    "\nThe cluster of an object is told by its place: clusters/NAME/... as must-gather has it, a folder or a "
    "file\n"
    "at the top that is called host, source or target, or --cluster; without any of these it is the host's.\n"
    "The names have to be those of the MigClusters.\n\n"
    "Files that are damaged are named and left out.\n\n"
    "Exit status: 0 nothing holds a migration up, 1 something does or will, 2 there is nothing to judge.\n";

static void add(struct wm_analyze_args *a, const char *path, char *cluster)
{
    struct wm_analyze_path *grown = wm_xcalloc(a->n_paths + 1, sizeof *grown);

    if (a->n_paths)
        memcpy(grown, a->paths, a->n_paths * sizeof *grown);
    grown[a->n_paths++] = (struct wm_analyze_path){path, cluster};
    free(a->paths);
    a->paths = grown;
}

static int add_cluster(struct wm_analyze_args *a, const char *value, struct wm_error *err)
{
    const char *equals = strchr(value, '=');

    if (!equals || equals == value || !equals[1])
        return wm_fail(err, WM_E_INVALID, "--cluster", "'%s' is not NAME=PATH", value);
    add(a, equals + 1, wm_xstrndup((struct wm_str){value, (size_t)(equals - value)}));
    return WM_OK;
}

static int take(void *ctx, int letter, const char *value, struct wm_error *err)
{
    struct wm_analyze_args *a = ctx;

    switch (letter) {
    case 'o':
        a->output = value;
        break;
    case CLUSTER:
        return add_cluster(a, value, err);
    case HOST:
        a->host = value;
        break;
    case NOW:
        a->now = value;
        break;
    case MIGRATION:
        a->migration = value;
        break;
    case PROGRESS:
        a->progress = true;
        break;
    case 'v':
        a->verbose = true;
        break;
    default:
        a->help = true;
        break;
    }
    return WM_OK;
}

int wm_analyze_args_parse(int argc, char *argv[], struct wm_analyze_args *ret, struct wm_error *err)
{
    int first = wm_flags_parse(argc, argv, flags, N_FLAGS, "analyze", take, ret, err);

    if (first < 0)
        return first;
    for (; first < argc; first++)
        add(ret, argv[first], NULL);
    if (ret->n_paths == 0 && !ret->help)
        return wm_fail(err, WM_E_INVALID, NULL, "what is to be analyzed? PATH... (see analyze --help)");
    return WM_OK;
}

void wm_analyze_args_done(struct wm_analyze_args *a)
{
    for (size_t i = 0; i < a->n_paths; i++)
        free(a->paths[i].cluster);
    free(a->paths);
}

void wm_analyze_help(struct wm_buf *out)
{
    wm_buf_puts(out, INTRO);
    wm_flags_help(flags, N_FLAGS, out);
    wm_buf_puts(out, NOTES);
}
