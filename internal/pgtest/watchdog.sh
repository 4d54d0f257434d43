# Runs a throw-away PostgreSQL until standard input ends, then removes its folder.
#   $1 folder of the programs   $2 folder of the cluster
# Descriptor 3 is the lock of the folder: this shell alone holds it, not what it runs.
trap '' INT TERM HUP
if ! "$1/pg_ctl" --pgdata="$2/data" --log="$2/log" --timeout=60 --wait --silent start 3<&- 0</dev/null >"$2/start" 2>&1; then
	tr '\n' ' ' <"$2/start"
	exit 1
fi
echo ready
cat 3<&- >/dev/null
cd /
"$1/pg_ctl" --pgdata="$2/data" --mode=immediate --timeout=60 --wait --silent stop 3<&- >/dev/null 2>&1
rm -rf "$2"
