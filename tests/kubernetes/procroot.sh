#!/usr/bin/env bash
# Run a command in a root like this machine's, with temporary folders of its own and volumes mounted.
# usage: procroot.sh ROOT [SOURCE TARGET ro|rw]... -- FOLDER COMMAND...        (in a mount namespace of its own)
set -e
root=$1
shift
mount -t tmpfs tmpfs "$root"
for place in /*; do
	name=${place#/}
	case $name in run | tmp | mnt | srv | var | lost+found) continue ;; esac
	if [ -L "$place" ]; then
		ln -s "$(readlink "$place")" "$root/$name"
	elif [ -d "$place" ]; then
		mkdir "$root/$name"
		mount --rbind "$place" "$root/$name" || true
	fi
done
mkdir "$root/run" "$root/mnt" "$root/srv" "$root/var"
mkdir -m 1777 "$root/tmp" "$root/var/tmp"
ln -s /run "$root/var/run"
for name in lib cache log; do
	mkdir "$root/var/$name"
	mount --rbind "/var/$name" "$root/var/$name" || true
done
while [ "$1" != -- ]; do
	target=$root$2
	case $2 in /var/run/*) target=$root/run${2#/var/run} ;; esac
	if [ -d "$1" ]; then
		mkdir -p "$target"
	else
		mkdir -p "$(dirname "$target")"
		[ -e "$target" ] || : >"$target"
	fi
	mount --bind "$1" "$target"
	[ "$3" = rw ] || mount -o remount,bind,ro "$target" || true
	shift 3
done
shift
exec chroot "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$@"
