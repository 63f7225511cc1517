#include "review_input.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "waymark/host.h"

static const char STDIN_NAME[] = "stdin", STDIN_PATH[] = "/dev/stdin";

/* `list` of `n` items of `size` bytes with room for one more; capacities are powers of two. */
static void *with_room(void *list, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    size_t grown = *cap ? *cap * 2 : 16;
    void *p = wm_xcalloc(grown, size);

    if (n)
        memcpy(p, list, n * size);
    free(list);
    *cap = grown;
    return p;
}

void wm_input_fail(struct wm_input *in, const struct wm_error *err)
{
    if (in->n_errors < WM_INPUT_MAX_ERRORS)
        in->errors[in->n_errors] = *err;
    in->n_errors++;
}

/* `text` (owned) as long as the input lives. */
static const char *keep(struct wm_input *in, char *text)
{
    in->texts = with_room(in->texts, in->n_texts, &in->texts_cap, sizeof *in->texts);
    in->texts[in->n_texts++] = text;
    return text;
}

/* --- objects --- */

static const char *text_at(const cJSON *node, const char *pointer)
{
    const char *z = wm_json_str(node, pointer);

    return z ? z : "";
}

static const char *either(const char *a, const char *b)
{
    return a[0] ? a : b;
}

static void add_object(struct wm_input *in, const struct wm_input_object *o)
{
    in->list = with_room(in->list, in->n, &in->cap, sizeof *in->list);
    struct wm_input_object *added = &in->list[in->n++];
    const char *name = text_at(o->object, "/metadata/name");

    *added = *o;
    added->generated = !name[0];
    added->name = name[0] ? name : text_at(o->object, "/metadata/generateName");
    if (added->generated && o->review) { /* the API server knows the name before the object does */
        const char *known = text_at(o->review, "/request/name");

        added->generated = !known[0];
        added->name = either(known, added->name);
    }
    added->namespace_ = either(either(text_at(o->object, "/metadata/namespace"),
                                      o->review ? text_at(o->review, "/request/namespace") : ""),
                               in->default_namespace);
}

static void refuse(struct wm_input *in, const struct wm_yaml *y, const cJSON *node, const char *why)
{
    struct wm_error err = {0};

    wm_yaml_fail(y, node, &err, "%s", why);
    wm_input_fail(in, &err);
}

void wm_input_refuse(struct wm_input *in, const struct wm_input_object *o, const char *why)
{
    refuse(in, o->yaml, o->review ? o->review : o->object, why);
}

static void add_review(struct wm_input *in, struct wm_input_object *o, const cJSON *review)
{
    const cJSON *object = wm_json_at(review, "/request/object"),
                *old = wm_json_at(review, "/request/oldObject");

    o->review = review;
    o->object = cJSON_IsObject(object) ? object : old;
    if (!cJSON_IsObject(o->object)) {
        refuse(in, o->yaml, review, "this AdmissionReview has neither request.object nor request.oldObject");
        return;
    }
    o->api_version = text_at(o->object, "/apiVersion");
    o->kind = either(text_at(review, "/request/kind/kind"), text_at(o->object, "/kind"));
    add_object(in, o);
}

/* What an item does not say itself: API servers leave it out in the items of a typed list. */
struct implied {
    const char *api_version, *kind;
};

/* What is left to take of a List, or of a document: `next` and its siblings. */
struct rest {
    const cJSON *next;
    struct implied implied;
};

/* False when `o` is no List.  A List's kind says what its items are: "MigPlan" of MigPlanList. */
static bool open_list(struct wm_input *in, const struct wm_input_object *o, struct rest *ret)
{
    const cJSON *items = wm_json_at(o->object, "/items");
    size_t n = strlen(o->kind);

    if (!o->api_version[0] || n < 4 || strcmp(o->kind + n - 4, "List") != 0 || !cJSON_IsArray(items))
        return false;
    ret->next = items->child;
    ret->implied.api_version = n > 4 ? o->api_version : "";
    ret->implied.kind = keep(in, wm_xstrndup((struct wm_str){o->kind, n - 4}));
    return true;
}

static void take_object(struct wm_input *in, struct wm_input_object *o)
{
    if (!o->api_version[0] || !o->kind[0])
        refuse(in, o->yaml, o->object, "this is no Kubernetes object: it has no apiVersion or no kind");
    else if (strcmp(o->kind, "AdmissionReview") == 0 && strncmp(o->api_version, "admission.k8s.io/", 17) == 0)
        add_review(in, o, o->object);
    else
        add_object(in, o);
}

/* A document's objects in order.  Lists may be within lists; each is two levels of YAML. */
static void take_all(struct wm_input *in, const struct wm_yaml *y, const char *file)
{
    struct rest lists[WM_YAML_MAX_DEPTH / 2 + 1] = {{wm_yaml_root(y), {"", ""}}};
    size_t depth = 1;

    while (depth) {
        struct rest *rest = &lists[depth - 1];
        const cJSON *node = rest->next;

        if (!node) {
            depth--;
            continue;
        }
        rest->next = node->next;
        struct wm_input_object o = {.file = file, .yaml = y, .object = node};

        o.api_version = either(text_at(node, "/apiVersion"), rest->implied.api_version);
        o.kind = either(text_at(node, "/kind"), rest->implied.kind);
        if (open_list(in, &o, &lists[depth]))
            depth++;
        else
            take_object(in, &o);
    }
}

/* --- files --- */

/* Takes the objects of `y` (owned); a document without any is not kept. */
static void take_document(struct wm_input *in, struct wm_yaml *y, const char *file)
{
    size_t before = in->n;

    if (!cJSON_IsNull(wm_yaml_root(y)))
        take_all(in, y, file);
    if (in->n == before) {
        wm_yaml_free(y);
        return;
    }
    in->documents = with_room(in->documents, in->n_documents, &in->documents_cap, sizeof(struct wm_yaml *));
    in->documents[in->n_documents++] = y;
}

void wm_input_add_text(struct wm_input *in, struct wm_str text, const char *name)
{
    const char *file = keep(in, wm_xstrdup(name));
    wm_auto_yaml_reader struct wm_yaml_reader *r = NULL;
    struct wm_yaml *y = NULL;
    struct wm_error err = {0};
    int rc = wm_yaml_open(text, file, WM_INPUT_MAX_BYTES, &r, &err);

    while (rc >= 0 && (rc = wm_yaml_next(r, &y, &err)) > 0)
        take_document(in, y, file);
    if (rc < 0)
        wm_input_fail(in, &err);
}

static void read_file(struct wm_input *in, const char *path, const char *name)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(WM_INPUT_MAX_BYTES);
    struct wm_error err = {0};

    if (in->on_file)
        in->on_file(in->ctx, name);
    in->n_files++;
    if (wm_file_read(path, &text, &err) < 0)
        wm_input_fail(in, &err);
    else
        wm_input_add_text(in, wm_buf_text(&text), name);
}

static bool is_wanted(const char *name)
{
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void fail_entry(struct wm_input *in, const FTSENT *e)
{
    struct wm_error err = {0};

    errno = e->fts_errno;
    wm_fail_errno(&err, WM_E_IO, e->fts_path, "cannot read");
    wm_input_fail(in, &err);
}

static void visit(struct wm_input *in, FTS *tree, FTSENT *e)
{
    if (e->fts_level > 0 && e->fts_name[0] == '.') {
        fts_set(tree, e, FTS_SKIP);
        return;
    }
    if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
        fail_entry(in, e);
    else if ((e->fts_info == FTS_F || e->fts_info == FTS_SLNONE) && is_wanted(e->fts_name))
        read_file(in, e->fts_path, e->fts_path);
}

static void read_folder(struct wm_input *in, const char *path)
{
    wm_auto_free char *root = wm_xstrdup(path);
    char *const roots[] = {root, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    size_t files = in->n_files, errors = in->n_errors;
    struct wm_error err = {0};
    FTSENT *e;

    while (tree && (e = fts_read(tree)))
        visit(in, tree, e);
    if (tree)
        fts_close(tree);
    if (in->n_files == files &&
        in->n_errors == errors) { /* a wrong name in a pipeline must not pass as good */
        wm_fail(&err, WM_E_NOT_FOUND, path, "there is no *.yaml, *.yml or *.json in this folder");
        wm_input_fail(in, &err);
    }
}

void wm_input_add(struct wm_input *in, const char *path)
{
    struct stat st;

    if (strcmp(path, "-") == 0)
        read_file(in, STDIN_PATH, STDIN_NAME);
    else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        read_folder(in, path);
    else
        read_file(in, path, path);
}

void wm_input_done(struct wm_input *in)
{
    for (size_t i = 0; i < in->n_documents; i++)
        wm_yaml_free(in->documents[i]);
    for (size_t i = 0; i < in->n_texts; i++)
        free(in->texts[i]);
    free(in->documents);
    free(in->texts);
    free(in->list);
    *in = (struct wm_input){0};
}
