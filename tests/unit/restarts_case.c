#include "restarts_case.h"

#include <stdio.h>

#include "unit.h"
#include "waymark/buf.h"
#include "waymark/time.h"
#include "waymark/yaml.h"

/* --- texts --- */

/* The uid of "Pod/x": the same in every case, so that objects can refer to each other by "@Pod/x". */
static void print_uid(const char *what, char out[static 37])
{
    uint64_t h = wm_str_digest(wm_str_of(what), 1);

    snprintf(out, 37, "%08x-%04x-4000-8000-%012llx", (unsigned)(h >> 32), (unsigned)(h & 0xffff),
             (unsigned long long)(h >> 16 & UINT64_C(0xffffffffffff)));
}

/* "T+13", "T-300" as a time. */
static bool print_time(const char *text, char out[static WM_TIME_SIZE])
{
    char *end;

    if (text[0] != 'T' || (text[1] != '+' && text[1] != '-'))
        return false;
    long s = strtol(text + 1, &end, 10);

    wm_time_print(RESTARTS_START_S + s, out);
    return *end == '\0';
}

static void resolve(cJSON *node)
{
    char uid[37], time[WM_TIME_SIZE];

    if (cJSON_IsString(node) && node->valuestring[0] == '@') {
        print_uid(node->valuestring + 1, uid);
        cJSON_SetValuestring(node, uid);
    } else if (cJSON_IsString(node) && print_time(node->valuestring, time)) {
        free(node->valuestring);
        node->valuestring = strdup(time);
    }
    for (cJSON *child = node->child; child; child = child->next)
        resolve(child);
}

/* --- short forms --- */

static const char *text_or(const cJSON *o, const char *pointer, const char *otherwise)
{
    const char *text = wm_json_str(o, pointer);

    return text ? text : otherwise;
}

static int number_or(const cJSON *o, const char *pointer, int otherwise)
{
    return (int)wm_json_i64(o, pointer, otherwise);
}

static void put_template(struct wm_buf *out, const cJSON *o)
{
    const cJSON *claims = wm_json_at(o, "/claims");

    wm_buf_printf(out, "\"template\":{\"spec\":{\"containers\":[{\"name\":\"provider\",\"image\":\"%s\"}],",
                  text_or(o, "/image", "vr:1"));
    wm_buf_puts(out, "\"volumes\":[{\"name\":\"tmp\"}");
    for (int i = 0; i < cJSON_GetArraySize(claims); i++) {
        const char *claim = cJSON_GetArrayItem(claims, i)->valuestring;

        wm_buf_printf(out, ",{\"name\":\"migration-%s\",\"persistentVolumeClaim\":{\"claimName\":\"%s\"}}",
                      claim, claim);
    }
    wm_buf_puts(out, "]}}");
}

static void put_deployment(struct wm_buf *out, const cJSON *o, const char *provider)
{
    int generation = number_or(o, "/generation", number_or(o, "/revision", 1));

    wm_buf_printf(out,
                  "{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"virtrigaud-provider-vm-%s\","
                  "\"generation\":%d,\"annotations\":{\"deployment.kubernetes.io/revision\":\"%d\"},"
                  "\"ownerReferences\":[{\"kind\":\"Provider\",\"name\":\"%s\",\"uid\":\"@Provider/%s\","
                  "\"controller\":true}]},\"spec\":{\"replicas\":%d,",
                  provider, generation, number_or(o, "/revision", 1), provider, provider,
                  number_or(o, "/wanted", 1));
    put_template(out, o);
    wm_buf_printf(out,
                  "},\"status\":{\"observedGeneration\":%d,\"replicas\":%d,\"updatedReplicas\":%d,"
                  "\"availableReplicas\":%d,\"conditions\":[{\"type\":\"Available\",\"status\":\"%s\","
                  "\"lastTransitionTime\":\"%s\"}",
                  number_or(o, "/observed", generation), number_or(o, "/replicas", 1),
                  number_or(o, "/updated", 1), number_or(o, "/available", 1),
                  wm_json_at(o, "/unavailable") ? "False" : "True",
                  text_or(o, "/unavailable", text_or(o, "/since", "T-9000")));
    if (wm_json_at(o, "/progress"))
        wm_buf_printf(
            out, ",{\"type\":\"Progressing\",\"status\":\"%s\",\"reason\":\"%s\",\"lastUpdateTime\":\"%s\"}",
            wm_json_bool(o, "/late") ? "False" : "True", text_or(o, "/progress/reason", ""),
            text_or(o, "/progress/at", ""));
    wm_buf_puts(out, "]}}");
}

/* "vs-r2" is a ReplicaSet of vs, "vs-r2-b" a pod of that, "vs-s" an EndpointSlice of the Service of vs. */
static void cut_end(const char *name, char *out, size_t size)
{
    const char *dash = strrchr(name, '-');

    snprintf(out, size, "%.*s", dash ? (int)(dash - name) : 0, name);
}

static void put_set(struct wm_buf *out, const cJSON *o, const char *name)
{
    char provider[64];

    cut_end(name, provider, sizeof provider);
    wm_buf_printf(
        out,
        "{\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"%s\",\"labels\":{\"pod-template-hash\":\"h-%s\"},"
        "\"annotations\":{\"deployment.kubernetes.io/revision\":\"%d\"},\"ownerReferences\":"
        "[{\"kind\":\"Deployment\",\"uid\":\"@Deployment/virtrigaud-provider-vm-%s\",\"controller\":true}]},"
        "\"spec\":{\"replicas\":%d,",
        name, name, number_or(o, "/revision", 1), provider, number_or(o, "/wanted", 1));
    put_template(out, o);
    wm_buf_puts(out, "},\"status\":{\"replicas\":1,\"conditions\":[");
    if (wm_json_at(o, "/failing"))
        wm_buf_printf(out,
                      "{\"type\":\"ReplicaFailure\",\"status\":\"True\",\"lastTransitionTime\":\"%s\","
                      "\"message\":\"exceeded quota\"}",
                      text_or(o, "/failing", ""));
    wm_buf_puts(out, "]}}");
}

static void put_container(struct wm_buf *out, const cJSON *o)
{
    wm_buf_printf(out, "{\"name\":\"provider\",\"ready\":%s,\"restartCount\":%d,\"state\":{",
                  wm_json_at(o, "/ready") ? "true" : "false", number_or(o, "/restarts", 0));
    if (wm_json_at(o, "/waiting"))
        wm_buf_printf(out, "\"waiting\":{\"reason\":\"%s\",\"message\":\"%s\"}", text_or(o, "/waiting", ""),
                      text_or(o, "/says", ""));
    wm_buf_puts(out, "},\"lastState\":{");
    if (wm_json_at(o, "/died"))
        wm_buf_printf(out, "\"terminated\":{\"exitCode\":137,\"reason\":\"%s\",\"finishedAt\":\"%s\"}",
                      text_or(o, "/of", "Error"), text_or(o, "/died", ""));
    wm_buf_puts(out, "}}");
}

static void put_pod(struct wm_buf *out, const cJSON *o, const char *name)
{
    char set[64];
    int grace = number_or(o, "/grace", 30);
    const char *ready = wm_json_str(o, "/ready"), *told = wm_json_str(o, "/told");
    const cJSON *claims = wm_json_at(o, "/claims");

    cut_end(name, set, sizeof set);
    wm_buf_printf(out,
                  "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",\"creationTimestamp\":\"%s\",\"labels\":"
                  "{\"pod-template-hash\":\"h-%s\",\"app.kubernetes.io/name\":\"virtrigaud-provider\"},"
                  "\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"%s\",\"uid\":\"@ReplicaSet/%s\","
                  "\"controller\":true}]",
                  name, text_or(o, "/created", "T-9000"), set, set, set);
    if (told)
        wm_buf_printf(out, ",\"deletionTimestamp\":\"T%+ld\",\"deletionGracePeriodSeconds\":%d",
                      strtol(told + 1, NULL, 10) + grace, grace);
    wm_buf_puts(out, "},\"spec\":{\"nodeName\":\"n1\",\"volumes\":[");
    for (int i = 0; i < cJSON_GetArraySize(claims); i++)
        wm_buf_printf(out, "%s{\"name\":\"v%d\",\"persistentVolumeClaim\":{\"claimName\":\"%s\"}}",
                      i ? "," : "", i, cJSON_GetArrayItem(claims, i)->valuestring);
    wm_buf_printf(out, "]},\"status\":{\"phase\":\"%s\",\"reason\":\"%s\",\"conditions\":[",
                  text_or(o, "/phase", ready ? "Running" : "Pending"), text_or(o, "/reason", ""));
    wm_buf_printf(out, "{\"type\":\"Ready\",\"status\":\"%s\",\"lastTransitionTime\":\"%s\"}",
                  ready ? "True" : "False",
                  ready ? ready : text_or(o, "/unready", text_or(o, "/created", "")));
    if (wm_json_at(o, "/unschedulable"))
        wm_buf_printf(out,
                      ",{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\","
                      "\"message\":\"%s\",\"lastTransitionTime\":\"%s\"}",
                      text_or(o, "/unschedulable", ""), text_or(o, "/created", ""));
    wm_buf_puts(out, "],\"containerStatuses\":[");
    put_container(out, o);
    wm_buf_puts(out, "]}}");
}

static void put_slice(struct wm_buf *out, const cJSON *o, const char *name)
{
    const cJSON *pod;
    char provider[64];

    cut_end(name, provider, sizeof provider);
    wm_buf_printf(out,
                  "{\"kind\":\"EndpointSlice\",\"metadata\":{\"name\":\"%s\",\"labels\":{"
                  "\"kubernetes.io/service-name\":\"virtrigaud-provider-vm-%s\"}",
                  name, provider);
    if (wm_json_at(o, "/at"))
        wm_buf_printf(out, ",\"managedFields\":[{\"time\":\"%s\"}]", text_or(o, "/at", ""));
    wm_buf_puts(out, "},\"endpoints\":[{\"conditions\":{\"ready\":false}}");
    cJSON_ArrayForEach(pod, wm_json_at(o, "/ready"))
    {
        wm_buf_printf(out, ",{\"targetRef\":{\"kind\":\"Pod\",\"uid\":\"@Pod/%s\"}}", pod->valuestring);
    }
    wm_buf_puts(out, "]}");
}

/* --- objects --- */

static const struct {
    const char *key;
    void (*put)(struct wm_buf *out, const cJSON *o, const char *name);
} forms[] = {{"deployment", put_deployment}, {"set", put_set}, {"pod", put_pod}, {"slice", put_slice}};

static cJSON *object_of(const cJSON *o)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(o, forms[i].key);
        wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 16);

        if (!name)
            continue;
        forms[i].put(&text, o, name->valuestring);
        cJSON *made = cJSON_Parse(wm_buf_text(&text).p);

        assert_non_null(made);
        return made;
    }
    return wm_yaml_copy(o);
}

static enum wm_kind kind_of(const char *kind, size_t n)
{
    for (int k = 1; kind && k < WM_KIND_COUNT; k++)
        if (strlen(wm_kinds[k].kind) == n && strncmp(wm_kinds[k].kind, kind, n) == 0)
            return (enum wm_kind)k;
    fail_msg("%s is no kind that is followed", kind ? kind : "(none)");
    return WM_KIND_NONE;
}

static void default_string(cJSON *to, const char *key, const char *value)
{
    if (!cJSON_GetObjectItemCaseSensitive(to, key))
        cJSON_AddStringToObject(to, key, value);
}

static void read_put(const cJSON *o, struct restarts_item *ret)
{
    wm_auto_json cJSON *made = object_of(o);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(made, "metadata");
    const char *kind = wm_json_str(made, "/kind");
    char what[256];

    *ret = (struct restarts_item){.kind = kind_of(kind, strlen(kind))};
    snprintf(what, sizeof what, "@%s/%s", kind, wm_json_str(made, "/metadata/name"));
    default_string(metadata, "uid", what);
    default_string(metadata, "namespace", "vm");
    default_string(metadata, "creationTimestamp", text_or(o, "/created", "T-9000"));
    resolve(made);
    snprintf(ret->uid, sizeof ret->uid, "%s", wm_json_str(made, "/metadata/uid"));
    ret->json = cJSON_PrintUnformatted(made);
}

/* "Pod/x" */
static void read_removal(const char *what, struct restarts_item *ret)
{
    *ret = (struct restarts_item){.kind = kind_of(what, strcspn(what, "/")), .remove = true};
    print_uid(what, ret->uid);
}

void restarts_step_read(const cJSON *step, struct restarts_step *ret)
{
    const cJSON *put = wm_json_at(step, "/put"), *removed = wm_json_at(step, "/remove"), *item;

    *ret = (struct restarts_step){.now_s = RESTARTS_START_S + wm_json_i64(step, "/at", 0)};
    cJSON_ArrayForEach(item, put)
    {
        assert_in_range(ret->n, 0, 63);
        read_put(item, &ret->items[ret->n++]);
    }
    cJSON_ArrayForEach(item, removed)
    {
        assert_in_range(ret->n, 0, 63);
        read_removal(item->valuestring, &ret->items[ret->n++]);
    }
}

void restarts_step_done(struct restarts_step *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->items[i].json);
}
