# SPDX-License-Identifier: LGPL-2.1-or-later
# The sed that dh_installnss edits with minds neither comments nor tabs nor blanks at the ends of lines. So what
# it finds below DPKG_ROOT is a scratch copy of the hosts lines alone; what it makes of them is put into the file
# in one step, and the lines as they were are kept, to be put back as long as they are still what we made of them.
LC_ALL=C
export LC_ALL

root="${DPKG_ROOT:-}"
conf="$root/etc/nsswitch.conf"
marker="$conf.nss.$DPKG_MAINTSCRIPT_PACKAGE-will-install"
record="$root/var/lib/$DPKG_MAINTSCRIPT_PACKAGE"
scratch=
unfinished=

make_scratch()
{
    scratch="$(mktemp -d)"
    trap 'rm -rf "$scratch" ${unfinished:+"$unfinished"}' EXIT
    mkdir "$scratch/etc"
}

hosts_lines()
{
    awk '/^hosts:/' "$conf"
}

# The file gets the hosts lines in $1 for those that it has, and is otherwise, to the last byte, as it was.
replace_hosts_lines()
{
    file="$conf"
    [ -n "$root" ] || file="$(readlink -f "$conf")"
    unfinished="$file.dpkg-kubesvc"
    cp -a "$file" "$unfinished"
    awk -v lines="$1" '/^hosts:/ { getline <lines } { print }' "$file" >"$unfinished"
    [ -z "$(tail -c 1 "$file")" ] || truncate -s -1 "$unfinished"
    # It is to be whole, old or new, also after a power failure.
    sync "$unfinished"
    mv "$unfinished" "$file"
    unfinished=
}
