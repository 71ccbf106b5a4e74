# The embedded server's watchdog. It runs initdb and postgres on request and,
# when its standard input ends, stops the server and removes its folders. Only
# sterna holds the other end of that input, so it ends with sterna, however
# sterna ends: a return, a panic, a signal that cannot be caught.
#
# Arguments: the server's folder, the socket's folder (the same, or a second
# one), the folder of the programs, the superuser's name. A request is one word,
# an answer one line: initdb, fast and immediate return an exit status, start
# returns a process id, alive returns yes or no.

folder=$1 socket=$2 bin=$3 superuser=$4

# Only the end of the input ends the watchdog. A closed terminal or an answer
# that nobody reads must not kill it before it has cleaned up.
trap '' HUP INT TERM PIPE
umask 077
exec 2>>"$folder/server.log"

server=

stop() {
    if [ -n "$server" ]; then
        kill -"$1" "$server"
        wait "$server"
        answer=$?
        server=
    else
        answer=0
    fi
}

while read -r request; do
    case $request in
    initdb)
        "$bin/initdb" --pgdata="$folder/data" --username="$superuser" \
            --auth-local=trust --auth-host=reject --encoding=UTF8 --locale=C \
            --no-sync >>"$folder/server.log" 2>&1 </dev/null
        answer=$?
        ;;
    start)
        "$bin/postgres" -D "$folder/data" >>"$folder/server.log" 2>&1 </dev/null &
        server=$!
        answer=$server
        ;;
    alive)
        # `jobs` reaps a server that has ended; until then kill -0 would still
        # succeed.
        jobs >/dev/null
        if [ -n "$server" ] && kill -0 "$server"; then answer=yes; else answer=no; fi
        ;;
    fast) stop INT ;;
    immediate) stop QUIT ;;
    *) answer=unknown ;;
    esac
    echo "$answer"
done

stop QUIT
rm -rf -- "$folder" "$socket"
