#!/bin/sh
# embed.sh GROUP FILE... > GROUP.c: the files as a table in C (base/embedded.h), in the order given.
set -eu
group=$1
shift

type_of() {
    case $1 in
    *.html) echo 'text/html; charset=utf-8' ;;
    *.css) echo 'text/css; charset=utf-8' ;;
    *.js) echo 'text/javascript; charset=utf-8' ;;
    *.svg) echo 'image/svg+xml' ;;
    *.yaml) echo 'application/yaml' ;;
    *) echo "embed.sh: what type is $1?" >&2 && exit 1 ;;
    esac
}

printf '/* Made by emulator/embed.sh. */\n#include "base/embedded.h"\n\n'
n=0
for file; do
    # A NUL behind each, so that an empty file is an array, too.
    printf 'static const unsigned char file_%d[] = {\n' "$n"
    od -An -v -tu1 "$file" | sed 's/  */,/g; s/^,//; s/$/,/'
    printf '0};\n'
    n=$((n + 1))
done
printf '\nconst embedded embedded_%s[] = {\n' "$group"
n=0
for file; do
    type=$(type_of "$file")
    printf '    {"%s", "%s", file_%d, sizeof file_%d - 1},\n' "${file##*/}" "$type" "$n" "$n"
    n=$((n + 1))
done
printf '    {0}};\n'
