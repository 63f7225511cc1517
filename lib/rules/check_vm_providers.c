/* What a VMMigration refers to: the source VM, the providers, and the VM that is to come (virtrigaud
 * internal/controller/vmmigration_controller.go, handleValidatingPhase, gateMigrationStorageBackend). */
#include <stdio.h>

#include "vm_impl.h"

/* One end of the migration: what of it stands where. */
static const struct end {
    const char *key, *provider, *namespace_, *name, *backends;
} ends[] = {
    {"source", "spec.source.providerRef", "spec.source.providerRef.namespace", "spec.source.providerRef.name",
     "supportedExportBackends"},
    {"target", "spec.target.providerRef", "spec.target.providerRef.namespace", "spec.target.providerRef.name",
     "supportedImportBackends"},
};
enum { SOURCE, TARGET, N_ENDS };

/* A reference whose namespace defaults to the migration's. */
static bool resolve(const struct wm_check *c, struct wm_json_value ref, struct wm_target *ret)
{
    if (!wm_span_copy(wm_get_span(ref, "namespace"), ret->namespace_, sizeof ret->namespace_))
        memcpy(ret->namespace_, c->s->namespace_, sizeof ret->namespace_);
    return wm_span_copy(wm_get_span(ref, "name"), ret->name, sizeof ret->name);
}

static struct wm_json_value ref_in(const struct wm_check *c, int end)
{
    return wm_json_get(wm_spec(c, ends[end].key), "providerRef");
}

static enum wm_fact_state ask_source_vm(struct wm_check *c, const struct wm_rule *rule,
                                        struct wm_json_value *ret)
{
    struct wm_json_value vm = wm_json_get(wm_spec(c, "source"), "vmRef");
    wm_name name;

    if (!wm_span_copy(wm_get_span(vm, "name"), name, sizeof name))
        return WM_FACT_UNKNOWN;
    return wm_ask(c, rule, WM_VIRTUALMACHINES, c->s->namespace_, name, ret);
}

/* The provider of an end; where the source has no providerRef, the source VM's.  False when it is not known.
 */
static bool provider_of(struct wm_check *c, const struct wm_rule *rule, int end, struct wm_target *ret)
{
    struct wm_json_value vm;

    if (end == TARGET || wm_json_kind_of(ref_in(c, SOURCE)) == WM_JSON_OBJECT)
        return resolve(c, ref_in(c, end), ret);
    return ask_source_vm(c, rule, &vm) == WM_FACT_FOUND &&
           resolve(c, wm_json_get(wm_json_get(vm, "spec"), "providerRef"), ret);
}

void wm_vm_check_source(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_SOURCE_MISSING];
    struct wm_json_value vm;

    if (wm_wants(c, rule) && ask_source_vm(c, rule, &vm) == WM_FACT_ABSENT)
        wm_report(c, rule, "spec.source.vmRef.name",
                  wm_get_span(wm_json_get(wm_spec(c, "source"), "vmRef"), "name"),
                  "there is no such VirtualMachine in namespace %s, and the migration fails as soon as it is "
                  "validated",
                  c->s->namespace_);
}

static void check_provider_name(struct wm_check *c, const struct end *end, const struct wm_target *provider)
{
    enum { NAMES_MAX = WM_LABEL_VALUE_MAX - (sizeof "virtrigaud-provider--" - 1) };
    size_t n = strlen(provider->namespace_) + strlen(provider->name);

    if (n > NAMES_MAX)
        wm_report(c, &wm_vm_rules[WM_VM_PROVIDER_NAME], end->name,
                  wm_get_span(wm_json_get(wm_spec(c, end->key), "providerRef"), "name"),
                  "with its namespace the name has %zu characters, over %d of which the Service "
                  "virtrigaud-provider-NAMESPACE-NAME cannot be made",
                  n, NAMES_MAX);
}

void wm_vm_check_providers(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_PROVIDER_MISSING];

    for (int i = 0; i < N_ENDS; i++) {
        struct wm_target provider;
        struct wm_json_value found;

        if (!resolve(c, ref_in(c, i), &provider))
            continue;
        check_provider_name(c, &ends[i], &provider);
        if (wm_wants(c, rule) &&
            wm_ask(c, rule, WM_PROVIDERS, provider.namespace_, provider.name, &found) == WM_FACT_ABSENT)
            wm_report(c, rule, ends[i].name, wm_get_span(ref_in(c, i), "name"),
                      "there is no such Provider in namespace %s, and the migration fails as soon as it is "
                      "validated",
                      provider.namespace_);
    }
}

void wm_vm_check_provider_namespace(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_PROVIDER_NAMESPACE];

    if (!wm_vm_is_on_pvc(c->s->spec) || !c->s->namespace_[0] || !wm_wants(c, rule))
        return;
    for (int i = 0; i < N_ENDS; i++) {
        struct wm_target provider;
        bool is_told = wm_json_kind_of(ref_in(c, i)) == WM_JSON_OBJECT;

        if (!provider_of(c, rule, i, &provider) || strcmp(provider.namespace_, c->s->namespace_) == 0)
            continue;
        wm_report(
            c, rule, is_told ? ends[i].namespace_ : "spec.source.vmRef.name",
            is_told ? wm_get_span(ref_in(c, i), "namespace") : (struct wm_json_span){0},
            "provider %s is in namespace %s, the migration and its PVC are in %s, and VirtRigaud fails it "
            "while it validates",
            provider.name, provider.namespace_, c->s->namespace_);
    }
}

/* --- what providers report --- */

/* True when `list` is told and lacks `item`; `names` gets what it has, as far as there is room. */
static bool lacks(struct wm_json_value list, const char *item, char *names, size_t size)
{
    size_t n = 0;

    names[0] = '\0';
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v)) {
        struct wm_str name = wm_json_plain(v);

        if (wm_str_is(name, item))
            return false;
        if (name.n && n + name.n + sizeof ", " < size)
            n += (size_t)snprintf(names + n, size - n, "%s%.*s", n ? ", " : "", WM_STR_ARG(name));
    }
    return n > 0;
}

static void judge_capabilities(struct wm_check *c, int end, const char *provider, struct wm_json_value caps)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_BACKEND_UNSUPPORTED];
    const char *backend = wm_vm_backend(c->s->spec);
    struct wm_json_span mode = wm_get_span(wm_spec(c, "storage"), "transferMode");
    char reported[96], wanted[16];

    if (lacks(wm_json_get(caps, ends[end].backends), backend, reported, sizeof reported))
        wm_report(c, rule, "spec.storage.type", wm_get_span(wm_spec(c, "storage"), "type"),
                  "%s provider %s reports %s %s and not %s, and VirtRigaud fails the migration while it "
                  "validates",
                  ends[end].key, provider, ends[end].backends, reported, backend);
    /* auto takes what is there, and direct has a rule of its own but for nfs */
    if (!wm_span_copy(mode, wanted, sizeof wanted) || strcmp(wanted, "auto") == 0 ||
        (strcmp(wanted, "direct") == 0 && strcmp(backend, "nfs") != 0))
        return;
    if (lacks(wm_json_get(caps, "supportedTransferModes"), wanted, reported, sizeof reported))
        wm_report(
            c, rule, "spec.storage.transferMode", mode,
            "%s provider %s reports supportedTransferModes %s, and VirtRigaud fails the migration while "
            "it validates",
            ends[end].key, provider, reported);
}

void wm_vm_check_capabilities(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_BACKEND_UNSUPPORTED];

    if (!wm_vm_backend(c->s->spec) || !wm_wants(c, rule))
        return;
    for (int i = 0; i < N_ENDS; i++) {
        struct wm_target provider;
        struct wm_json_value found;

        if (provider_of(c, rule, i, &provider) &&
            wm_ask(c, rule, WM_PROVIDERS, provider.namespace_, provider.name, &found) == WM_FACT_FOUND)
            judge_capabilities(c, i, provider.name,
                               wm_json_get(wm_json_get(found, "status"), "reportedCapabilities"));
    }
}

void wm_vm_check_power_off(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_POWER_OFF];
    struct wm_target provider;
    struct wm_json_value found, vm;

    if (wm_is_true(wm_spec(c, "source"), "powerOffBeforeMigration") || !wm_wants(c, rule) ||
        !provider_of(c, rule, SOURCE, &provider) ||
        wm_ask(c, rule, WM_PROVIDERS, provider.namespace_, provider.name, &found) != WM_FACT_FOUND ||
        !wm_json_span_is(wm_get_span(wm_json_get(found, "spec"), "type"), "vsphere"))
        return;
    enum wm_fact_state state = ask_source_vm(c, rule, &vm);

    if (state == WM_FACT_ABSENT ||
        (state == WM_FACT_FOUND &&
         !wm_json_span_is(wm_get_span(wm_json_get(vm, "spec"), "powerState"), "Off")))
        wm_report(c, rule, "spec.source.powerOffBeforeMigration", (struct wm_json_span){0},
                  "provider %s is vSphere, which locks the disks of a running VM, so the export fails",
                  provider.name);
}

void wm_vm_check_target(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_TARGET_EXISTS];
    struct wm_json_value target = wm_spec(c, "target"), found;
    struct wm_json_value source = wm_json_get(wm_spec(c, "source"), "vmRef");
    struct wm_target vm;

    if (!wm_vm_is_new(c) || !resolve(c, target, &vm) || !wm_wants(c, rule) ||
        wm_ask(c, rule, WM_VIRTUALMACHINES, vm.namespace_, vm.name, &found) != WM_FACT_FOUND)
        return;
    bool is_source =
        strcmp(vm.namespace_, c->s->namespace_) == 0 && wm_json_span_is(wm_get_span(source, "name"), vm.name);

    wm_report(
        c, rule, "spec.target.name", wm_get_span(target, "name"),
        "%s in namespace %s, and VirtRigaud takes it for the result as soon as it is Ready, without the "
        "imported disk",
        is_source ? "this is the source VM itself" : "a VirtualMachine of this name exists", vm.namespace_);
}
