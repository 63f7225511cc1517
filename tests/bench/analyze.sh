#!/usr/bin/env bash
# What it costs to analyze a dump, beside the same reader of objects that keeps nothing and judges nothing.
# Usage: ./dev bench analyze [--objects N] [--migrations N] [--rounds N] [--as-built] [--output FILE]
#
#   --objects      PodVolumeRestores (50000), half of them in a file each as YAML, half in JSON Lists of 1000
#   --migrations   that run (10), of two Restores each
#   --rounds       the best of them counts (3)
#   --as-built     measure what is there: nothing is installed or compiled first
#   --output       where the numbers go as JSON (build/bench/analyze.json)
#
# The dump is laid out as must-gather's and made of recorded objects (tests/bench/replay) with their managedFields, about
# 2 KB each. "all" reads all of it, "yaml" and "json" one half.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/lib.sh"

built='' objects=50000 migrations=10 rounds=3 output=$WM_BUILD/bench/analyze.json
while (($#)); do
    case $1 in
        --objects | --migrations | --rounds | --output)
            declare "${1#--}=$(option_value "$@")"
            shift
            ;;
        --as-built) built=1 ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "bench analyze knows no option $1; see ./dev bench analyze --help" ;;
    esac
    shift
done
if [[ -z $built ]]; then
    need build,bench
    bash "$WM_ROOT/tests/dev/build.sh" --preset release
fi
tool=$WM_BUILD/release/tests/bench/bench_objects
aggregator=${WAYMARK_AGGREGATOR:-$WM_BUILD/release/aggregator/waymark-aggregator}

dir=$(mktemp -d /dev/shm/waymark-analyze-XXXXXX)
# shellcheck disable=SC2317 # called at exit
tidy() { rm -rf "$dir"; }
at_exit tidy

# filled FROM TO PARENTS: a template from standard input for each number; {own} is it, {parent} its remainder by PARENTS
filled() {
    awk -v from="$1" -v to="$2" -v parents="$3" '
        { template = template $0 "\n" }
        END {
            for (i = from; i < to; i++) {
                text = template
                gsub(/[{]own}/, sprintf("%06d", i), text)
                gsub(/[{]parent}/, sprintf("%06d", i % parents), text)
                gsub(/[{]version}/, i + 1, text)
                printf "%s", text
            }
        }'
}
list() { printf '{"apiVersion":"v1","kind":"List","items":[\n%s\n]}\n' "$(paste -sd,)"; }

# make_all: the dump; a template of YAML is made of the one of JSON
make_all() {
    local recorded=$WM_ROOT/tests/bench/replay restores=$((migrations * 2)) half=$((objects / 2)) i
    local host=$dir/all/clusters/host/crs target=$dir/json/clusters/target/velero files=$dir/yaml/clusters/target/crs
    mkdir -p "$host" "$target" "$files"
    filled 0 1 1 <"$recorded/migplans.json" >"$host/plan.json"
    filled 0 1 1 <"$recorded/migclusters.json" >"$host/cluster.json"
    filled 0 "$migrations" 1 <"$recorded/migmigrations.json" | list >"$host/migrations.json"
    filled 0 "$restores" "$migrations" <"$recorded/restores.json" | list >"$target/restores.json"
    for ((i = half; i < objects; i += 1000)); do
        filled "$i" "$((i + 1000))" "$restores" <"$recorded/podvolumerestores.json" | list >"$target/restored-$i.json"
    done
    sed 's/{version}/1/g' "$recorded/podvolumerestores.json" >"$dir/one.json"
    "$tool" yaml "$dir/one.json" | filled 0 "$half" "$restores" |
        awk -v folder="$files" '/^---/ { close(file); file = sprintf("%s/restored-%06d.yaml", folder, n++) } { print > file }'
    cp -rl "$dir/yaml/clusters" "$dir/json/clusters" "$dir/all/"
}

headline "a dump of $objects objects"
make_all
bytes=$(find "$dir/all" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
say "$((bytes / 1000000)) MB in $(find "$dir/all" -type f | wc -l) files"

results=$dir/results.jsonl
# round WHO PART PROGRAM ARGUMENT...
round() {
    local who=$1 part=$2
    "$tool" measure "${@:3}" 2>"$dir/said" | jq -c --arg who "$who" --arg part "$part" '{who: $who, part: $part} + .' >>"$results"
}
for part in all yaml json; do
    headline "$part"
    for ((i = 0; i < rounds; i++)); do
        round read "$part" "$tool" read "$dir/$part"
        round analyze "$part" "$aggregator" analyze "$dir/$part"
    done
done

mkdir -p "${output%/*}"
jq -s --argjson bytes "$bytes" --argjson objects "$objects" '
    [group_by([.part, .who])[] | min_by(.cpu_ms)] as $best
    | [$best[] | select(.who == "analyze") | . as $a | ($best[] | select(.who == "read" and .part == $a.part)) as $r
        | {part: .part, objects: $objects, bytes: $bytes, analyze_ms: .cpu_ms, wall_ms, read_ms: $r.cpu_ms,
           ratio: (.cpu_ms / $r.cpu_ms), rss_mb: (.rss_kb / 1024), read_rss_mb: ($r.rss_kb / 1024)}]' "$results" >"$output"
jq -r '
    def r: . * 100 | round / 100;
    .[] | [.part, .analyze_ms, .read_ms, (.ratio | r), (.rss_mb | r), (.read_rss_mb | r)] | @tsv' "$output" |
    { printf 'part\tanalyze CPU ms\treading alone\tratio\tpeak MB\treading alone\n'; cat; } |
    if have column; then column -t -s $'\t'; else cat; fi
say "the numbers: $output"
