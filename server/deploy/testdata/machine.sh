# Makes a machine of its own of this one, for the commands of install.md: its /etc, /usr/local/bin, /var/lib/headgate and network can be changed without changing
# those of this machine. Run by root in new mount and network namespaces, with the folder of the test and that of the stand-ins, and the commands on standard input.
set -eu
work=$1 stand_ins=$2
mkdir -p "$work/etc" "$work/bin" "$work/lib"
cp -a /etc/. "$work/etc"
mount --bind "$work/etc" /etc
mount --bind "$work/bin" /usr/local/bin
mkdir -p "$work/lib/headgate"
mount --bind "$work/lib" /var/lib
ip link set lo up 2>/dev/null || ifconfig lo up
export WORK="$work"
export PATH="$stand_ins:/usr/local/bin:$PATH"
trap 'stand-in stop' EXIT
sh -eux
