# A round of mig-controller: from the MigMigration as it is to the one that it would store. Arguments: phase, step (of the
# pipeline), place and total (of the phase), progress (lines), touch (new with each of its writes), now.

# As its conditions library does it: the time of a condition is that of its last change, and foreign ones stay.
def condition($new):
    [.[] | select(.type == $new.type)][0] as $old
    | [.[] | select(.type != $new.type)]
        + [$new + {status: "True", category: "Advisory",
            lastTransitionTime: (if $old.reason == $new.reason and $old.message == $new.message
                then $old.lastTransitionTime else $now end)}];

def running: condition({type: "Running", reason: $phase, message: "Step: \($place)/\($total)"});
def succeeded:
    map(select(.type != "Running"))
    | condition({type: "Succeeded", reason: $phase, durable: true, message: "The migration has completed successfully."});

def pipeline:
    if any(.[]; .name == $step) then . else . + [{name: $step, message: "Running", started: $now}] end
    | map(if .name == $step then . + {phase: $phase, progress: $progress}
        else del(.progress, .phase) + {message: "Completed", completed: (.completed // $now)} end);

.metadata.annotations["openshift.io/touch"] = $touch
| .status.itinerary = "Stage"
| .status.phase = $phase
| .status.startTimestamp //= $now
| .status.conditions |= ((. // []) | if $phase == "Completed" then succeeded else running end)
| .status.pipeline |= ((. // []) | pipeline)
