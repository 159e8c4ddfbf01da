#!/bin/sh
# SPDX-License-Identifier: MIT
# atrous compare end to end: the plan, a study, a study killed and continued, more seeds, stopping,
# what contradicts, what makes no sense.
. "$(dirname "$0")/tap.sh"

"$atrous" data synth -o shapes --count 10 --size 32 -q || exit 1
small="--data shapes --width 0.0625 --batch 4 --size 32 --scale 1,1"
all_exist() { for f; do [ -s "$f" ] || return 1; done; }
in_out() { for word; do grep -q "\"$word\"" out || return 1; done; }
rows() { [ "$(grep -c "$1" "$2")" -eq "$3" ]; }

# The plan: nothing is written.
# shellcheck disable=SC2086
run_ok "dry run" compare $small --epochs 2 --upsample bilinear,nearest --axis norm=batch:group --seeds 2 --dry-run
check "eight runs are planned" rows planned out 8
check "and their time predicted" said 'predicted time left'
# shellcheck disable=SC2086
run_ok "as JSON" compare $small --epochs 2 --upsample bilinear,nearest --axis norm=batch:group --seeds 2 --dry-run --json
check "its keys" in_out runs variant axes upsample norm seed parameters macs peak_bytes predicted_s
check "one object a run" rows '"variant"' out 8
check "nothing is written" [ ! -e runs ]

# A study, two at a time.
# shellcheck disable=SC2086
run_ok "a study" compare $small --epochs 1 --upsample bilinear,transposed --seeds 2 --jobs 2 --name two
check "its files" all_exist runs/two/study.json runs/two/runs.csv runs/two/pairs.csv runs/two/report.md runs/two/report.html \
    runs/two/runs/bilinear-seed0/weights/last.safetensors runs/two/runs/transposed-seed1/measures.json
check "runs.csv as promised" grep -qx \
    'upsample,seed,status,parameters,macs,train_s,inference_ms,peak_bytes,miou,pixel_accuracy.*' runs/two/runs.csv
check "a row a run, all done" rows '^[a-z]*,[01],done,[0-9]' runs/two/runs.csv 4
check "pairs.csv as promised" grep -qx \
    'a,b,measure,mean_difference,ci_low,ci_high,p_adjusted,seeds,verdict' runs/two/pairs.csv
check "a row a pair and measure" grep -q "^bilinear,transposed,miou,.*,2,2 seeds can't tell these apart$" \
    runs/two/pairs.csv
check "two seeds can't tell" said "2 seeds can't tell 1 of 1 pairs apart"
last() { tail -n 1 "runs/two/runs/$1/results.csv" | cut -d, -f5; }
check "of the last epoch" grep -q "^transposed,1,done,.*,$(last transposed-seed1),[0-9.]*" runs/two/runs.csv

# The page, made anew.
rm runs/two/report.html
run_ok "report of a study" report runs/two/
check "says where the page is" grep -qx 'runs/two/report.html' out
check "which has pictures" grep -q 'data:image/png;base64,' runs/two/report.html
run_ok "report of one of its runs" report runs/two/runs/bilinear-seed0
check "also there" [ -s runs/two/runs/bilinear-seed0/report.html ]
refused 1 'there is no such directory; name the directory of a run' report runs/nothing
refused 1 'holds neither config.json' report shapes
refused 2 'a study keeps the split' report runs/two --split train
refused 2 'the data set has only' report runs/two/runs/bilinear-seed0 --split nothing

# The command in the report makes the same run.
again=$(sed -n 's/^atrous \(train .*--upsample transposed .*--seed 1 .*\)$/\1/p' runs/two/report.md)
# shellcheck disable=SC2086
run_ok "the report's command" $again --quiet
check "gives the same weights" cmp -s runs/transposed-seed1/weights/last.safetensors \
    runs/two/runs/transposed-seed1/weights/last.safetensors

# More seeds, further values; nothing is trained twice.
touch runs/two/runs/bilinear-seed0/mark
run_ok "more seeds" compare --name two --seeds 3
check "only they were trained" said 'training: 2'
check "and are there" rows '^[a-z]*,[012],done' runs/two/runs.csv 6
run_ok "one value more" compare --name two --upsample nearest,bilinear,transposed
check "was trained alone" said 'training: 3'
check "the others were not" [ -e runs/two/runs/bilinear-seed0/mark ]
run_ok "nothing is left" compare --name two --json
check "and told as JSON" in_out study runs pairs status verdict p_adjusted

# Killed at any time, continued, it ends where an unbroken one ends.
# shellcheck disable=SC2086
"$atrous" compare $small --epochs 15 --upsample bilinear,transposed --seeds 1 --jobs 2 --name killed >out 2>err &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s runs/killed/runs/bilinear-seed0/weights/last.safetensors ] && break
    sleep 0.2
done
kill -KILL "$pid"
wait "$pid" 2>/dev/null
check "a killed study's table is there" rows ',planned,' runs/killed/runs.csv 2
run_ok "a killed study goes on" compare --name killed
check "to the end" rows ',done,' runs/killed/runs.csv 2
again=$(sed -n 's/^atrous \(train .*--upsample bilinear .*\)$/\1/p' runs/killed/report.md)
# shellcheck disable=SC2086
run $again --name unbroken --quiet
check "with the weights of an unbroken run" cmp -s runs/unbroken/weights/last.safetensors \
    runs/killed/runs/bilinear-seed0/weights/last.safetensors

# Ctrl-C.
# shellcheck disable=SC2086
"$atrous" compare $small --epochs 400 --upsample bilinear,transposed --seeds 1 --name long >out 2>err &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s runs/long/runs/bilinear-seed0/results.csv ] && break
    sleep 0.2
done
kill -INT "$pid"
wait "$pid"
code=$?
interrupted() { [ "$code" -eq 130 ] && grep -q 'go on with: atrous compare --name long' err; }
check "Ctrl-C stops, says how to go on, exits with 130" interrupted
check "what was begun is unfinished" rows ',unfinished,' runs/long/runs.csv 1
run_ok "and would go on" compare --name long --dry-run

# Learning rates and time.
# shellcheck disable=SC2086
run_ok "tuned rates" compare $small --epochs 2 --upsample bilinear,transposed --seeds 1 --tune-lr 0.001,0.01 --name tuned
check "pilots are kept" all_exist runs/tuned/pilots/bilinear-lr0.001/measures.json
check "and told" grep -q '## Learning rates' runs/tuned/report.md
# shellcheck disable=SC2086
run_ok "equal time" compare $small --equal time --time 1s --axis upsample=bilinear:unpool --seeds 1 --name timed
check "which the report says" grep -q 'Equal time: each run trains for 1.0 s' runs/timed/report.md

# A run that fails, weights growing without end: told, left out, exit code 1.
# shellcheck disable=SC2086
run compare $small --epochs 4 --weight-decay 1000 --axis lr=0.0001:1000000 --seeds 1 --name bad
check "a run that fails" [ "$code" -eq 1 ]
check "is counted" said '1 of 2 runs failed.*not finite'
check "the other is done" rows '^0.0001,0,done' runs/bad/runs.csv 1
check "and it is marked" rows '^1000000,0,failed' runs/bad/runs.csv 1

# Contradictions: the option is named.
refused 2 '--lr 0.5 contradicts the study runs/two' compare --name two --lr 0.5
refused 2 '"transposed" is one of the values' compare --name two --upsample nearest,bilinear
refused 2 '--upsample contradicts .* varies it' compare --name two --upsample nearest
refused 2 '--seeds 1 contradicts' compare --name two --seeds 1
refused 2 '--epochs 9 contradicts' compare --name two --data shapes --epochs 9
refused 2 'is no study' compare --name unbroken --upsample nearest,bilinear

# Nonsense: what, and what to do.
refused 2 'nothing varies: give --upsample' compare --data shapes
refused 2 'NAME=V1:V2' compare --data shapes --axis rates
refused 2 'colour: there is no such option' compare --data shapes --axis colour=red:blue
refused 2 'norm "b".*expected batch|group|none' compare --data shapes --axis norm=b:group
refused 2 'upsample "neerest": expected nearest' compare --data shapes --upsample neerest,bilinear
refused 2 'what works is nearest' compare --data shapes --model deeplabv3 --upsample unpool,bilinear
refused 2 '--seeds N says' compare --data shapes --axis seed=1:2
refused 2 '--time 10m' compare --data shapes --upsample nearest,bilinear --equal time
refused 2 'a study goes on with --name' compare --resume runs/two
refused 2 'segnet-table1' compare --preset table9
refused 2 'has only train, val' compare --data shapes --upsample nearest,bilinear --split test
refused 1 'nowhere' compare --data nowhere --upsample nearest,bilinear
finish
