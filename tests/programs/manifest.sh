# Shared by build and run: where things are, and how a stanza of the manifest is read.

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/programs
cache=${MINIVM_PROGRAMS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/minivm-programs}

names() { awk '$1 == "program" { print $2 }' "$here/manifest"; }

# field NAME KEY: the values of a key, one a line.
field() {
    awk -v name="$1" -v key="$2" '
        $1 == "program" { on = $2 == name }
        on && $1 == key { sub(/^[^ \t]+[ \t]*/, ""); print }' "$here/manifest"
}

# module NAME: whose module the program runs, its own or that of another stanza.
module() { set -- "$1" $(field "$1" module); echo "${2:-$1}"; }

# made NAME: the recipe of the program's module.
made() { field "$(module "$1")" build; }

# package NAME: the folder of the unpacked package that the module comes from.
package() { set -- $(made "$1"); [ "$1" = wheel ] && echo "$cache/wheel/$2-$3"; }
