#!/bin/sh
# SPDX-License-Identifier: MIT
# End to end on a tiny folder of pictures: train, resume, interrupt, val, predict, info, grad, bench.
. "$(dirname "$0")/tap.sh"

"$atrous" data synth -o shapes --count 10 --size 32 -q || exit 1
all_exist() { for f; do [ -s "$f" ] || return 1; done; }
in_out() { for word; do grep -q "\"$word\"" out || return 1; done; }

# Train, and what it leaves.
small="--width 0.0625 --batch 4 --size 32 --scale 1,1"
# shellcheck disable=SC2086
run_ok "train" train --data shapes $small --epochs 2 --name first
check "the beginning tells data, model, memory, run" said 'planned memory'
check "one line an epoch" [ "$(grep -c '^epoch ' err)" -eq 2 ]
check "the end tells the baseline" said 'commonest class'
check "and the next command" said 'atrous predict --weights runs/first'
check "files of a run" all_exist runs/first/config.json runs/first/metrics.jsonl runs/first/results.csv \
    runs/first/report.html runs/first/results.svg runs/first/confusion_matrix.svg runs/first/train_batch0.png \
    runs/first/val_pred0.png runs/first/weights/best.safetensors runs/first/weights/last.safetensors
check "results.csv as promised" grep -q \
    '^epoch,time_s,train/loss,val/loss,val/miou,val/pixel_accuracy,val/mean_accuracy,lr' runs/first/results.csv
check "a row an epoch" [ "$(wc -l <runs/first/results.csv)" -eq 3 ]

# Again from its config; nothing is overwritten.
run_ok "train from a config" train --config runs/first/config.json --quiet
check "a fresh directory" [ -d runs/first2 ]
check "quiet only warns" [ "$(grep -vc '^warning' err)" -eq 0 ]
check "the same weights" cmp -s runs/first/weights/best.safetensors runs/first2/weights/best.safetensors

# Interrupt, resume, and arrive where the unbroken run arrived.
# shellcheck disable=SC2086
"$atrous" train --data shapes $small --epochs 400 --name long >out 2>err &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    grep -q '^epoch 2/' err && break
    sleep 0.2
done
kill -INT "$pid"
wait "$pid"
code=$?
interrupted() { [ "$code" -eq 130 ] && grep -q -- '--resume runs/long' err; }
check "Ctrl-C saves, says how to go on, exits with 130" interrupted
refused 2 '--lr: a run that is resumed' train --resume runs/long --lr 1
# shellcheck disable=SC2086
run train --data shapes $small --epochs 1 --name short --schedule constant
run_ok "resume for longer" train --resume runs/short --epochs 3
check "to the end" [ "$(wc -l <runs/short/results.csv)" -eq 4 ]

# Val.
run val --weights runs/first --data shapes --json -o measured
check "val" [ "$code" -eq 0 ]
check "its keys" in_out split images pixels pixel_accuracy mean_accuracy miou fwiou mean_dice absent_classes \
    classes confusion id name iou accuracy dice boundary f1 trimap objects sizes checkerboard operators
check "its files" all_exist measured/per_image.csv measured/confusion_matrix.svg measured/trimap.svg
check "per_image.csv as promised" grep -q '^image,pixel_accuracy,miou,loss,pixels,boundary_f1' measured/per_image.csv
run_ok "val as a table" val --weights runs/first --data shapes --split train -o measured --tta flip
refused 2 'has only' val --weights runs/first --data shapes --split test

# Predict, folders recursively.
mkdir -p photos/deep/er && cp shapes/images/val/val_00000.png photos/one.png
cp shapes/images/val/val_00001.png photos/deep/er/two.png
run_ok "predict" predict --weights runs/first photos -o seen --prob --conf
for kind in ids color overlay conf; do
    check "$kind of both" all_exist "seen/$kind/one.png" "seen/$kind/deep/er/two.png"
done
check "probabilities" all_exist seen/prob/deep/er/two.safetensors
check "summary.csv" grep -q '^image,height,width,ground,disc,box,striped,line' seen/summary.csv
check "a row a picture" [ "$(wc -l <seen/summary.csv)" -eq 3 ]
run_ok "predict into a fresh folder" predict --weights runs/first/weights/last.safetensors photos/one.png
check "which is runs/predict" all_exist runs/predict/overlay/one.png

# Info.
run_ok "info of weights" info runs/first --json
check "the graph's keys" in_out format model input nodes output name op inputs output_shape attrs params
check "its format" grep -q '"atrous-graph/1"' out
for model in fcn32s fcn16s fcn8s segnet-basic unet hdc deeplabv3; do
    run info $model --classes 3 --width 0.125 --size 64x80
    check "info of $model" grep -q '^planned memory' out
done
run_ok "info with receptive fields" info unet --classes 2 --rf fields.svg
check "drawn" grep -q '</svg>' fields.svg
run_ok "info for Graphviz" info unet --classes 2 --dot

# Grad.
run_ok "grad" grad --weights runs/first --image photos/one.png --mask shapes/masks/val/val_00000.png \
    -o grads.safetensors --save-weights used.safetensors
check "it prints the loss" grep -q '^loss [0-9]' out
holds() { for word; do head -c 20000 grads.safetensors | grep -aq "\"$word\"" || return 1; done; }
check "loss, logits, image, gradients" holds loss logits image encoder.0.0.conv.weight
run grad --model unet --classes 5 --width 0.0625 --seed 1 --save-weights a.safetensors --image photos/one.png \
    --mask shapes/masks/val/val_00000.png -o ga.safetensors --class-weights 1,1,1,1,2 --loss focal
run_ok "grad of saved weights" grad -w a.safetensors --image photos/one.png \
    --mask shapes/masks/val/val_00000.png -o gb.safetensors --class-weights 1,1,1,1,2 --loss focal
check "is that of the model they came from" cmp -s ga.safetensors gb.safetensors
run_ok "grad in inference" grad -w a.safetensors --mode infer --image photos/one.png -o gc.safetensors

# Data and bench.
run_ok "data stats" data stats --data shapes --json
check "stats' keys" in_out layout splits classes pixels share weights median enet inverse mean std
run_ok "data split" data split --data shapes -o lists
check "lists" all_exist lists/train.txt lists/val.txt
run_ok "data palette" data palette --data shapes
run bench model unet --classes 3 --width 0.0625 --size 32 --repeat 2 --threads 1 --json
check "bench's keys" in_out train_step_ms inference_ms median min runs train_peak_bytes inference_peak_bytes \
    rss_bytes macs parameters cpu name level threads version
finish
