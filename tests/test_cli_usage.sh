#!/bin/sh
# SPDX-License-Identifier: MIT
# The option table: help of every command, spellings, typos, values, config files, completion, manual.
. "$(dirname "$0")/tap.sh"

commands="train val predict info grad data:check data:stats data:synth data:split data:palette arith:conv
    arith:deconv arith:pool bench:model bench:kernels completion man version"

told() { [ "$code" -eq 0 ] && grep -q '^Usage: atrous' out && grep -q '^Examples:' out && [ ! -s err ]; }
for command in $commands; do
    # shellcheck disable=SC2046
    run $(echo "$command" | tr : ' ') --help
    check "help of $command" told
    # shellcheck disable=SC2046
    refused 2 'unknown option --bogus' $(echo "$command" | tr : ' ') --bogus
done
run_ok "help" help
check "help lists all commands" [ "$(grep -c '^  [a-z]' out)" -ge 18 ]
run_ok "help of a family" data --help
run_ok "help of a command of a family" help data check
run_ok "version" --version

# Spellings.
same_size() { grep -q '^input 7x7 -> output 3x3' out; }
for words in '--in 7 --kernel 3 --stride 2' '--in=7 --stride=2' 'in=7 stride=2' '-i 7 -s 2' '-i7 -s2' '-i=7 stride=2'; do
    # shellcheck disable=SC2086
    run arith conv $words
    check "spelt $words" same_size
done

# Wrong words.
refused 2 'did you mean --epochs' train --epoch 3
refused 2 'did you mean --weight-decay' train --weight_decay 0.1
refused 2 'did you mean --epochs' train epoch=3
refused 2 '--epochs is no option of `atrous val`' val --epochs 3
refused 2 'did you mean "train"' trian
refused 2 'did you mean "data check"' data chekc
refused 2 'needs a command' data
refused 2 'needs INPUT' predict
refused 2 'can do nothing with "photos"' train photos
refused 2 'did you mean unet' train --model uent
refused 2 'unknown option -z' train -z
refused 2 '--epochs needs a value' train --epochs
refused 2 '--epochs needs a value' train --epochs --quiet
for pair in 'epochs abc' 'epochs 0' 'epochs 1.5' 'batch -1' 'lr x' 'size 12x' 'size 0x8' 'optimizer rms' \
    'norm layer' 'time 5' 'ignore a' 'val-share 2' 'seed -3' 'upsample cubic' 'width 0' 'hflip 2' \
    'rates 0' 'channels 2' 'output-stride 3'; do
    # shellcheck disable=SC2086
    refused 2 "${pair% *}" train --${pair% *} ${pair#* }
done
refused 2 'class weights "odd"' train --class-weights odd
refused 2 '--repeat "0": expected a whole number' bench model unet --classes 2 --repeat 0
refused 2 '--mode "test": expected train|infer' grad --mode test
refused 2 'expected true or false' info unet --classes 2 --json=maybe
refused 2 'unpool' train --model deeplabv3 --upsample unpool
refused 2 'deeplabv3' train --model unet --rates 1,2
refused 2 '--classes is missing' info unet
refused 2 'did you mean unet' info unte --classes 2
refused 2 '--precision "bf17"' train --precision bf17

# Config files: names without dashes, comments; flags win wherever they stand.
echo '{"in": 9, "kernel": "3x3", // a comment
  "stride": 2, "matrix": false}' >arith.json
run arith conv --in 7 --config arith.json
check "flags win over the config" same_size
run arith conv --config arith.json --in 7
check "flags win, after it too" same_size
echo '{"stride": 2, "bogus": 1}' >bad.json
refused 2 'bad.json: .*bogus' arith conv --config bad.json
echo '{"stride": "x"}' >bad.json
refused 2 'bad.json: stride' arith conv --config bad.json
echo '{"stride": [2' >bad.json
refused 1 'bad.json' arith conv --config bad.json
refused 1 'none.json' arith conv --config none.json

# What is made from the table.
run completion bash
check "bash accepts its completion" bash -n out
completes() {
    bash -c '. ./out; COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _atrous; echo "${COMPREPLY[@]}"' _ "$@"
}
check "it completes commands" [ "$(completes atrous tr)" = train ]
check "it completes second words" [ "$(completes atrous data s)" = "stats synth split" ]
check "it completes options" [ "$(completes atrous train --epo)" = --epochs ]
check "it completes choices" [ "$(completes atrous train --norm g)" = group ]
run_ok "zsh completion" completion zsh
run_ok "fish completion" completion fish
refused 2 'bash, zsh and fish' completion csh
run man
check "the manual knows every option" grep -q 'class\\-weights' out
run man --format markdown
check "docs/cli.md is what the table says: make docs" cmp -s out "$root/docs/cli.md"

# Arithmetic.
run arith deconv --in 3 --kernel 3 --stride 2 --padding 1 --output-padding 1 --json
check "arith as JSON" grep -q '"relation"' out
run arith conv --in 1x4 --kernel 1x3 --matrix
check "the matrix C" grep -q '^w00 w01 w02 \.' out
refused 2 'written out' arith conv --in 99 --matrix
refused 1 'larger input' arith conv --in 2 --kernel 5
finish
