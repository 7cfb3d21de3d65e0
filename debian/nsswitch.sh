# SPDX-License-Identifier: LGPL-2.1-or-later
# dh_installnss edits with a sed that handles neither comments nor tabs nor trailing blanks. Below DPKG_ROOT it
# therefore finds only a scratch copy of the hosts lines. Its result replaces the lines in the file in one step, and
# the original lines are kept, to be restored if nobody has edited them in the meantime.
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

# Replaces the hosts lines of the file with those in $1, and leaves everything else as it is, to the last byte.
replace_hosts_lines()
{
    file="$conf"
    [ -n "$root" ] || file="$(readlink -f "$conf")"
    unfinished="$file.dpkg-kubesvc"
    cp -a "$file" "$unfinished"
    awk -v lines="$1" '/^hosts:/ { getline <lines } { print }' "$file" >"$unfinished"
    [ -z "$(tail -c 1 "$file")" ] || truncate -s -1 "$unfinished"
    # The file must be complete, old or new, even after a power failure.
    sync "$unfinished"
    mv "$unfinished" "$file"
    unfinished=
}
