/* The table as people read it. */
#include <inttypes.h>

#include "waymark/json.h"
#include "waymark/options.h"

static void help_option(const struct wm_option *t, FILE *out)
{
    fprintf(out, "  --%s%s%s\n        %s", t->name, t->arg ? " " : "", t->arg ? t->arg : "", t->help);
    if (t->choices)
        fprintf(out, " (%s)", t->choices);
    if (t->fallback && *t->fallback)
        fprintf(out, " [%s]", t->fallback);
    fputc('\n', out);
}

static void help_config(const struct wm_options *o, FILE *out)
{
    fprintf(out, "  --config FILE\n        YAML file with any of the options below\n");
    for (const char *const *s = o->sections; s && *s; s++)
        fprintf(out, "        and with a section `%s` (see the README)\n", *s);
}

void wm_options_help(const struct wm_options *o, FILE *out)
{
    fprintf(out, "Usage: %s [OPTIONS]\n\n%s\n\n%s", o->program, o->usage,
            o->flags_only
                ? "Options:\n\n"
                : "Options (each also as YAML key and as environment variable, e.g.\n"
                  "--log-level, log-level:, WAYMARK_LOG_LEVEL; flags win over the environment, that "
                  "over the file):\n\n");
    if (!o->flags_only)
        help_config(o, out);
    for (size_t i = 0; i < o->n; i++)
        help_option(&o->table[i], out);
    if (!o->flags_only)
        fprintf(out, "  --print-config\n        print the effective configuration as YAML and exit\n");
    fprintf(out, "  --help\n        print this and exit\n");
}

static void print_text(FILE *out, const char *z)
{
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(WM_CONFIG_MAX_BYTES);

    wm_json_quote(&b, wm_str_of(z));
    fputs(wm_buf_text(&b).p, out);
}

void wm_options_print(const struct wm_options *o, const void *target, FILE *out)
{
    for (size_t i = 0; i < o->n; i++) {
        const struct wm_option *t = &o->table[i];
        const void *p = (const char *)target + t->offset;

        fprintf(out, "%s: ", t->name);
        switch (t->type) {
        case WM_OPTION_TEXT:
            print_text(out, *(char *const *)p ? *(char *const *)p : "");
            break;
        case WM_OPTION_NUMBER:
            fprintf(out, "%" PRId64, *(const int64_t *)p);
            break;
        case WM_OPTION_SWITCH:
            fputs(*(const bool *)p ? "true" : "false", out);
            break;
        case WM_OPTION_LIST:
            fputc('[', out);
            for (size_t k = 0; k < ((const struct wm_option_list *)p)->n; k++) {
                fputs(k ? ", " : "", out);
                print_text(out, ((const struct wm_option_list *)p)->items[k]);
            }
            fputc(']', out);
            break;
        }
        fputc('\n', out);
    }
}
