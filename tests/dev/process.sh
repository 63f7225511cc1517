# shellcheck shell=bash
# Long-running processes that outlive the script which starts them, and are ended by name without ever hitting a
# stranger. Each lies in a folder as NAME.cmd (what to run), NAME.pid (pid, start time, boot) and NAME.log. Sourced.

wm_boot=$(</proc/sys/kernel/random/boot_id)

# proc_start PID: prints when PID started, in clock ticks since boot; fails when it is gone or a zombie
proc_start() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    stat=${stat##*) } # past the name, which may hold anything
    local -a field
    read -ra field <<<"$stat"
    [[ ${field[0]} != [ZX] ]] || return 1
    printf '%s\n' "${field[19]}"
}

# pid_of DIR NAME: prints the pid, only while the very process that was recorded still runs
pid_of() {
    local pid start boot
    { read -r pid start boot <"$1/$2.pid"; } 2>/dev/null || return 1
    [[ $boot == "$wm_boot" && $(proc_start "$pid") == "$start" ]] || return 1
    printf '%s\n' "$pid"
}

# uptime_of DIR NAME: for how many seconds it has run
uptime_of() {
    local pid start boot up
    pid_of "$1" "$2" >/dev/null || return 1
    read -r pid start boot <"$1/$2.pid"
    read -r up _ </proc/uptime
    printf '%s\n' "$((${up%.*} - start / $(getconf CLK_TCK)))"
}

# spawn DIR NAME COMMAND...: starts COMMAND in a session of its own, its output appended to DIR/NAME.log
spawn() {
    local dir=$1 name=$2
    shift 2
    printf '%q ' "$@" >"$dir/$name.cmd"
    respawn "$dir" "$name"
}

# respawn DIR NAME: starts again what spawn started, with the same command; does nothing while it runs
respawn() {
    local dir=$1 name=$2 pid started
    local -a command
    ! pid_of "$dir" "$name" >/dev/null || return 0
    eval "command=($(<"$dir/$name.cmd"))"
    rm -f "$dir/$name.pid"
    (
        # It records itself before it becomes the command, so there is no moment in which it runs unrecorded.
        # Descriptor 9 is the lock of whoever called; the process must not hold it.
        exec 9>&- </dev/null >>"$dir/$name.log" 2>&1
        trap - EXIT INT TERM
        pid=$BASHPID # here, since inside $() it would be that one's
        printf '%s %s %s\n' "$pid" "$(proc_start "$pid")" "$wm_boot" >"$dir/$name.pid.new"
        mv "$dir/$name.pid.new" "$dir/$name.pid"
        exec setsid "${command[@]}"
    ) &
    disown
    for ((started = 0; started < 200; started++)); do
        [[ ! -e $dir/$name.pid ]] || return 0
        sleep 0.01
    done
    say "$name did not start; see $dir/$name.log"
    return 1
}

# signal_process DIR NAME SIGNAL
signal_process() {
    local pid
    pid=$(pid_of "$1" "$2") || return 1
    kill -s "$3" "$pid"
}

# end_processes DIR NAME...: SIGTERM to all at once, SIGKILL after $GRACE (10) seconds to what is still there
end_processes() {
    local dir=$1 name signal waited limit=$((${GRACE:-10} * 20))
    shift
    for signal in TERM KILL; do
        for name in "$@"; do
            signal_process "$dir" "$name" "$signal" 2>/dev/null || continue
            signal_process "$dir" "$name" CONT 2>/dev/null || true # a paused one would never see it
        done
        for ((waited = 0; waited < limit; waited++)); do
            any_alive "$dir" "$@" || break 2
            sleep 0.05
        done
    done
    for name in "$@"; do
        rm -f "$dir/$name.pid"
    done
}

any_alive() {
    local dir=$1 name
    shift
    for name in "$@"; do
        ! pid_of "$dir" "$name" >/dev/null || return 0
    done
    return 1
}

# end_all_processes DIR: ends whatever was spawned in DIR
end_all_processes() {
    local file
    local -a names=()
    for file in "$1"/*.pid; do
        [[ -e $file ]] || continue
        file=${file##*/}
        names+=("${file%.pid}")
    done
    [[ ${#names[@]} -eq 0 ]] || end_processes "$1" "${names[@]}"
}

# end_everything DIR: ends what was spawned anywhere below DIR
end_everything() {
    local below
    while IFS= read -r -d '' below; do
        end_all_processes "$below"
    done < <(find "$1" -type d -print0)
}
