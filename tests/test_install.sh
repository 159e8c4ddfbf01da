#!/bin/sh
# SPDX-License-Identifier: MIT
# What is installed is enough: programs, library, headers and atrous.pc in a folder of their own, and
# the example compiled against nothing else.
. "$(dirname "$0")/tap.sh"

build=$(dirname "$atrous")
place=$folder/place
there() { for f; do [ -s "$place/opt/at/$f" ] || return 1; done; }

env -u MAKEFLAGS -u MAKELEVEL make -C "$root" BUILD="$build" DESTDIR="$place" PREFIX=/opt/at install >out 2>err
code=$?
check "make install" [ "$code" -eq 0 ]
check "files are there" there bin/atrous lib/libatrous.a lib/libatrous.so lib/pkgconfig/atrous.pc \
    include/atrous/atrous.h include/atrous/train/train.h share/man/man1/atrous.1
check "atrous.pc knows its place" grep -q '^prefix=/opt/at$' "$place/opt/at/lib/pkgconfig/atrous.pc"

# With sanitizers the library wants the compiler's run-time, which a user's command does not name.
if nm "$place/opt/at/lib/libatrous.a" 2>/dev/null | grep -q __asan_; then
    check "the example is not linked against a library with sanitizers" true
else
    sed 's,"atrous.h",<atrous/atrous.h>,' "$root/examples/own_network.c" >own_network.c
    cc -std=c11 own_network.c -I"$place/opt/at/include" -L"$place/opt/at/lib" -latrous -ljansson \
        -Wl,-rpath,"$place/opt/at/lib" -o own_network >out 2>err
    code=$?
    check "the example compiles against what is installed" [ "$code" -eq 0 ]
    ./own_network >out 2>err
    code=$?
    check "and learns" [ "$(sed -n 's/^step 60  loss 0\.\([0-9]\).*/\1/p' out)" -le 2 ]
fi
finish
