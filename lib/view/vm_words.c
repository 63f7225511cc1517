/* What is said of a VMMigration and of no other: what its phases wait for, that it is tried again, and what
 * it leaves behind. */
#include "vm_words.h"

#include "waymark/vm.h"

/* --- waiting --- */

/* What the awaited object is to do, or to be, in that phase. */
static const char *const tasks[WM_WAIT_COUNT] = {
    [WM_WAIT_VM_SNAPSHOT] = " to make the snapshot",
    [WM_WAIT_VM_EXPORT] = " to export the disk",
    [WM_WAIT_VM_IMPORT] = " to import the disk",
    [WM_WAIT_VM_TARGET] = " to be ready",
};

static bool is_kind(const struct wm_speech *sp, enum wm_kind kind)
{
    return strcmp(sp->s->awaited_kind, wm_kinds[kind].kind) == 0;
}

static void say_task(struct wm_speech *sp)
{
    const struct wm_situation *s = sp->s;
    enum wm_wait wait = s->state->row->waits_for;

    if (s->awaited->going)
        wm_say(sp, ", which is being deleted");
    else if (tasks[wait] && !is_kind(sp, WM_KIND_DEPLOYMENT))
        wm_say(sp, tasks[wait]);
    else if (is_kind(sp, WM_KIND_PVC))
        wm_say(sp, " to be bound");
    else if (is_kind(sp, WM_KIND_MACHINE))
        wm_say(sp, " to be known to its provider");
    else if (wait == WM_WAIT_VM_PROVIDERS && is_kind(sp, WM_KIND_DEPLOYMENT))
        wm_buf_printf(&sp->text, " to mount PersistentVolumeClaim %s", s->vm->claim);
    else if (wait == WM_WAIT_VM_PROVIDERS)
        wm_say(sp, " to be available");
    else
        wm_say(sp, " to have all its pods");
}

/* What the object itself says of why it is not ready. */
static void say_excuse(struct wm_speech *sp)
{
    const struct wm_record *r = sp->s->awaited;
    const struct wm_machine_state *m = r->kind == WM_KIND_MACHINE ? wm_machine_of(r) : NULL;
    const struct wm_provider_state *p = r->kind == WM_KIND_PROVIDER ? wm_provider_of(r) : NULL;
    const char *message = m && m->ready_known && !m->ready             ? m->message
                          : p && p->runtime_known && !p->runtime_ready ? p->message
                                                                       : "";

    if (sp->brief || !message[0])
        return;
    wm_say(sp, ", which says: ");
    wm_say_quote(sp, message);
}

void wm_say_vm_wait(struct wm_speech *sp)
{
    const struct wm_situation *s = sp->s;

    if (!s->awaited_kind[0]) {
        wm_say(sp, wm_wait_text(s->state->row->waits_for));
    } else if (s->awaited) {
        wm_say_object(sp, s->awaited);
        say_task(sp);
        say_excuse(sp);
    } else if (s->awaited_name[0]) {
        wm_buf_printf(&sp->text, "%s %s, which is not there", s->awaited_kind, s->awaited_name);
    } else {
        wm_buf_printf(&sp->text, "its provider's %s, which is not there", s->awaited_kind);
    }
}

/* --- again --- */

bool wm_vm_waits_for_retry(const struct wm_situation *s)
{
    return s->vm && !s->state->over && strcmp(s->state->phase, "Failed") == 0;
}

static int attempts(const struct wm_vm_state *vm)
{
    return vm->retries_max + 1;
}

void wm_say_vm_attempt(struct wm_speech *sp)
{
    const struct wm_vm_state *vm = sp->s->vm;

    if (!vm || !vm->retries || wm_vm_waits_for_retry(sp->s))
        return;
    if (sp->brief)
        wm_say(sp, ", ");
    else
        wm_say_next(sp);
    wm_buf_printf(&sp->text, "attempt %d of %d", vm->retries + 1, attempts(vm));
    if (!sp->brief && vm->m.first_error[0]) {
        wm_say(sp, ", the one before failed with: ");
        wm_say_quote(sp, vm->m.first_error);
    }
}

void wm_say_vm_retry(struct wm_speech *sp)
{
    const struct wm_vm_state *vm = sp->s->vm;

    wm_buf_printf(&sp->text, "Attempt %d of %d has failed", vm->retries + 1, attempts(vm));
    if (vm->m.cause[0])
        wm_buf_printf(&sp->text, " in phase %s", vm->m.cause);
    wm_say_when(sp, "at", vm->m.since_s);
    wm_say_next(sp);
    wm_say(sp, "it will be tried again");
    if (vm->m.first_error[0]) {
        wm_say_next(sp);
        wm_say_quote(sp, vm->m.first_error);
    }
}

/* --- what is left --- */

static void say_attempts(struct wm_speech *sp)
{
    const struct wm_vm_state *vm = sp->s->vm;

    if (sp->s->ending != WM_ENDING_FAILED || !vm->retries)
        return;
    wm_say_next(sp);
    wm_buf_printf(&sp->text, "that was the last of %d attempts", vm->retries + 1);
}

/* VirtRigaud deletes the snapshot after the disk that it staged, and says that it is done after both. */
static void say_snapshot(struct wm_speech *sp)
{
    const struct wm_vm_state *vm = sp->s->vm;

    if (!vm->snapshot || (vm->cleans_up && vm->cleaned_up))
        return;
    wm_say_next(sp);
    wm_buf_printf(&sp->text, "a snapshot of VirtualMachine %s is left", vm->vm);
    if (!vm->cleans_up)
        wm_say(sp, ", as its cleanupPolicy asks");
}

static void say_untidied(struct wm_speech *sp)
{
    const struct wm_vm_state *vm = sp->s->vm;

    if (sp->s->ending == WM_ENDING_FAILED || vm->storage == WM_VM_STORAGE_NONE || !vm->cleans_up ||
        vm->cleaned_up)
        return;
    wm_say_next(sp);
    wm_say(sp, "the staged disk is not deleted yet");
}

static const struct wm_record *claim_of(const struct wm_situation *s)
{
    for (size_t i = 0; i < s->n_twigs; i++) {
        const struct wm_record *r = s->tree[i].record;

        if (s->tree[i].depth == 1 && r->kind == WM_KIND_PVC && strcmp(wm_record_name(r), s->vm->claim) == 0)
            return r;
    }
    return NULL;
}

static bool is_mounted(const struct wm_situation *s)
{
    for (size_t i = 0; i < s->n_twigs; i++)
        if (s->tree[i].record->kind == WM_KIND_POD &&
            wm_pod_mounts(wm_pod_of(s->tree[i].record), s->vm->claim))
            return true;
    return false;
}

/* It stays until the VMMigration is deleted, which rolls all providers of the namespace once more. */
static void say_claim(struct wm_speech *sp)
{
    const struct wm_record *claim = claim_of(sp->s);

    if (!claim)
        return;
    wm_say_next(sp);
    wm_buf_printf(&sp->text, "PersistentVolumeClaim %s is ", wm_record_name(claim));
    wm_say(sp, claim->going ? "being deleted" : "still there");
    if (is_mounted(sp->s))
        wm_say(sp, ", mounted by the providers");
    if (!claim->going)
        wm_say(sp, ", until the VMMigration is deleted");
}

void wm_say_vm_leftovers(struct wm_speech *sp)
{
    say_attempts(sp);
    say_snapshot(sp);
    say_untidied(sp);
    say_claim(sp);
}
