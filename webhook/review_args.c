#include "review_args.h"

#include <stdlib.h>

#include "waymark/flags.h"

enum { CONTEXT = WM_FLAG_LONG, CONFIG, NAMESPACE, NOW };

static const struct wm_flag flags[] = {
    {'f', "filename", "FILE|DIR|-", "what to review; may be given again, and after it further names"},
    {'o', "output", "text|json|sarif|yaml",
     "yaml: the allowed objects as they would be stored, labels and all [text]"},
    {CONTEXT, "context", "FILE|DIR", "other objects, for the rules that look things up; may be given again"},
    {CONFIG, "config", "FILE", "the server's configuration file: its label keys and its validation section"},
    {NAMESPACE, "namespace", "NAME",
     "of objects that have none [where the configuration says that migrations live]"},
    {NOW, "now", "TIME", "the time that ages are judged by, as 2026-01-02T03:04:05Z [the clock]"},
    {'q', "quiet", NULL, "no closing sentence, no progress"},
    {'h', "help", NULL, "print this"},
};
enum { N_FLAGS = sizeof flags / sizeof flags[0] };

static const char INTRO[] =
    "Usage: waymark-webhook review -f FILE|DIR|- [OPTIONS]\n\n"
    "Says to the objects in files what the server would say if they were created now.\n\n";

static const char NOTES[] =
    "\nFiles are YAML or JSON, of up to 16 MiB: any number of documents, Lists, and AdmissionReviews, which "
    "are\n"
    "reviewed as they are. Of a folder its *.yaml, *.yml and *.json are read, also in folders within it.\n\n"
    "Rules that look other objects up find those of --context and those that are reviewed. An object that is "
    "in\n"
    "neither counts as absent only when --context has others of its kind in that namespace; else, and for "
    "lists\n"
    "of which --context has nothing, the rule cannot tell: it denies nothing, and the closing sentence names "
    "it.\n\n"
    "Exit status: 0 all allowed, 1 something would be denied, 2 something could not be read.\n";

static void add(const char ***list, size_t *n, const char *text)
{
    const char **grown = wm_xcalloc(*n + 1, sizeof *grown);

    if (*n)
        memcpy(grown, *list, *n * sizeof *grown);
    grown[(*n)++] = text;
    free(*list);
    *list = grown;
}

static int take(void *ctx, int letter, const char *value, struct wm_error *err)
{
    struct wm_review_args *a = ctx;

    (void)err;
    switch (letter) {
    case 'f':
        add(&a->files, &a->n_files, value);
        break;
    case 'o':
        a->output = value;
        break;
    case CONTEXT:
        add(&a->contexts, &a->n_contexts, value);
        break;
    case CONFIG:
        a->config = value;
        break;
    case NAMESPACE:
        a->namespace_ = value;
        break;
    case NOW:
        a->now = value;
        break;
    case 'q':
        a->quiet = true;
        break;
    case 'h':
        a->help = true;
        break;
    default:
        break;
    }
    return WM_OK;
}

int wm_review_args_parse(int argc, char *argv[], struct wm_review_args *ret, struct wm_error *err)
{
    int first = wm_flags_parse(argc, argv, flags, N_FLAGS, "review", take, ret, err);

    if (first < 0)
        return first;
    for (; first < argc; first++)
        add(&ret->files, &ret->n_files, argv[first]);
    if (ret->n_files == 0 && !ret->help)
        return wm_fail(err, WM_E_INVALID, NULL, "what is to be reviewed? -f FILE|DIR|- (see review --help)");
    return WM_OK;
}

void wm_review_args_done(struct wm_review_args *a)
{
    free(a->files);
    free(a->contexts);
}

void wm_review_help(struct wm_buf *out)
{
    wm_buf_puts(out, INTRO);
    wm_flags_help(flags, N_FLAGS, out);
    wm_buf_puts(out, NOTES);
}
