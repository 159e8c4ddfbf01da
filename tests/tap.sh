# SPDX-License-Identifier: MIT
# For tests of the program, sourced by tests/test_cli_*.sh: TAP, a folder that goes away, and runs of
# atrous whose stdout, stderr and exit code are kept in the files out and err and in $code.
atrous=$(realpath "${BUILD:-build}/atrous")
root=$(realpath "$(dirname "$0")/..")
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
count=0 failed=0

# check NAME COMMAND...: one test, good if the command is.
check() {
    name=$1
    shift
    count=$((count + 1))
    if "$@"; then
        echo "ok $count - $name"
    else
        failed=1
        echo "not ok $count - $name"
        echo "# code $code"
        sed 's/^/# out: /' out | tail -n 20
        sed 's/^/# err: /' err | tail -n 20
    fi
}

run() {
    "$atrous" "$@" >out 2>err </dev/null
    code=$?
}

# run_ok NAME ARGUMENTS...
run_ok() {
    about=$1
    shift
    run "$@"
    check "$about" [ "$code" -eq 0 ]
}

one_line() { [ "$code" -eq "$1" ] && [ "$(wc -l <err)" -eq 1 ] && grep -q "^atrous: .*$2" err; }

# refused CODE PATTERN ARGUMENTS...: exits with CODE after one line on stderr that says PATTERN.
refused() {
    expected=$1 pattern=$2
    shift 2
    run "$@"
    check "$* is refused: $pattern" one_line "$expected" "$pattern"
}

said() { grep -q -- "$1" out err; }

finish() {
    echo "1..$count"
    exit "$failed"
}
