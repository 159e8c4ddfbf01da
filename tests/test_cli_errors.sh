#!/bin/sh
# SPDX-License-Identifier: MIT
# Bad input of every kind: one line that names the file and the remedy, the right exit code, and
# nothing written.
. "$(dirname "$0")/tap.sh"

small="--width 0.0625 --batch 4 --size 32 --epochs 1 --quiet"
# train_refused PATTERN ARGUMENTS...
train_refused() {
    pattern=$1
    shift
    # shellcheck disable=SC2086
    refused 1 "$pattern" train $small --runs "$folder/runs" "$@"
}

"$atrous" data synth -o good --count 10 --size 32 -q || exit 1
"$atrous" data synth -o other --count 10 --size 40 -q || exit 1
"$atrous" grad --model unet --classes 5 --width 0.0625 --mode infer --image good/images/val/val_00000.png \
    --save-weights unet.safetensors -o out.safetensors || exit 1
"$atrous" grad --model segnet-basic --classes 3 --width 0.0625 --mode infer \
    --image good/images/val/val_00000.png --save-weights segnet.safetensors -o out.safetensors || exit 1
mask=masks/train/train_00000.png image=images/train/train_00000.png

# Missing files and folders.
train_refused 'nowhere' --data nowhere
mkdir empty
train_refused 'empty: ' --data empty
refused 1 'none.safetensors: there is no such file' val --weights none.safetensors
refused 1 'without weights/best.safetensors' val --weights good
refused 1 'nowhere: there is no such file or folder' predict -w unet.safetensors nowhere
refused 1 'empty: a folder without pictures' predict -w unet.safetensors empty
refused 1 'nothing.safetensors' train --init nothing.safetensors --runs runs
refused 1 'norun' train --resume norun

# Broken data sets, one thing each. ruin NAME: a fresh copy of the good one.
ruin() { cp -r good "$1"; }
ruin cut && head -c 100 good/$image >cut/$image
train_refused "cut/$image: .*" --data cut
ruin cutmask && head -c 90 good/$mask >cutmask/$mask
train_refused "cutmask/$mask: .*" --data cutmask
ruin jpeg && printf '\377\330\377\340 not exact' >jpeg/$mask
train_refused "jpeg/$mask: .*JPEG" --data jpeg
ruin size && cp other/$mask size/$mask
train_refused "size/$mask.*40.*32" --data size
ruin range && printf '0 ground\n1 disc\n' >range/classes.txt
train_refused "range/masks.*label" --data range
ruin nothing && : >nothing/$image
train_refused "nothing/$image" --data nothing
check "none of these left a run behind" [ ! -e runs ]
ruin alone && rm alone/$mask
# shellcheck disable=SC2086
run train $small --data alone --runs elsewhere
check "a picture without a mask is left out" [ "$code" -eq 0 ]
run data check --data alone
check "and named" said 'train_00000.png: left out'
refused 1 '[1-9] error' data check --data cut
check "data check names the file" grep -q "cut/$image" out
run_ok "data check of a good set" data check --data good

# Memory: refused before anything is made, with the batch that would fit.
refused 1 'batch [0-9]* would fit' train --size 256 --batch 64 --max-mem 200 --runs runs
refused 1 'batch 5 or --recompute, in more time, would fit' train --size 256 --batch 8 --max-mem 300 --runs runs
refused 1 'smaller' train --size 2048 --batch 1 --max-mem 20 --runs runs
check "a plan that does not fit leaves no run behind" [ ! -e runs ]

# Weights that are not these.
refused 1 'good/classes.txt.*safetensors' predict -w good/classes.txt good
head -c 3000 unet.safetensors >short.safetensors
refused 1 'short.safetensors' predict -w short.safetensors good
train_refused 'nothing in it fits' --data good --init segnet.safetensors
refused 1 'class' val -w segnet.safetensors --data good -o valout
refused 2 'the weights say that themselves' info unet.safetensors --width 2

# Output that can't be written.
: >file
refused 1 'file' train --runs file/runs --epochs 1
refused 1 "'file'" predict -w unet.safetensors good -o file/out
refused 1 'file/grads' grad -w unet.safetensors --mode infer --image good/$image -o file/grads.safetensors
refused 1 'good' data synth -o good
full() { [ "$code" -eq 1 ] && grep -q 'standard output' err; }
"$atrous" info unet --classes 2 >/dev/full 2>err
code=$?
check "a full disk behind stdout" full

# Two inputs that would meet in one file: told before anything is written.
mkdir -p twins/a && cp good/$image twins/x.png && cp good/$image twins/a/x.png && cp good/$image x.png
refused 1 'would both be written to x.png' predict -w unet.safetensors twins x.png -o meeting
refused 1 'given twice' predict -w unet.safetensors x.png x.png -o meeting
check "and nothing was" [ ! -e meeting ]

# A picture that can't be read does not keep the others.
mkdir mixed && cp good/$image mixed/a.png && echo no >mixed/b.png && cp good/$image mixed/c.png
run predict -w unet.safetensors mixed -o partly
partly() { [ "$code" -eq 1 ] && grep -q '^atrous: 1 of 3 .*mixed/b.png' err && [ "$(wc -l <partly/summary.csv)" -eq 3 ]; }
check "one bad picture of three" partly

# grad.
refused 2 'either --weights' grad --image x.png --mask x.png -o g.safetensors
refused 2 '--mask is missing' grad -w unet.safetensors --image x.png -o g.safetensors
refused 2 '--image is missing' grad -w unet.safetensors -o g.safetensors
refused 1 "other/$mask is 40x40" grad -w unet.safetensors --image x.png --mask other/$mask -o g.safetensors
refused 1 'label [2-4]' grad -w segnet.safetensors --image x.png --mask good/$mask -o g.safetensors --ignore 3
finish
