# Runs inside the sandbox: the part of the rig's agent that touches a custom miner's package.
# Commands come one by one on descriptor 97, in fields that | separates; results go out on descriptor 98, each field
# ended by a NUL. Both numbers are such that a package hardly uses them itself. rig.py is at the other end.

agent_tell() {
    builtin printf '%s\0' "$agent_nonce" "$SHELLOPTS" "$@" >&98
}

agent_config() {
    agent_options=$SHELLOPTS
    . "$MINER_DIR/$CUSTOM_MINER/h-manifest.conf"
    . "$MINER_DIR/$CUSTOM_MINER/h-config.sh"
    # Kept from in here, where a variable that a file declares is still in scope.
    agent_file=${CUSTOM_CONFIG_FILENAME-}
}

agent_stats() {
    unset khs stats
    . "$MINER_DIR/$CUSTOM_MINER/h-manifest.conf"
    . "$MINER_DIR/$CUSTOM_MINER/h-stats.sh"
    # Told from in here for the same reason.
    agent_tell "${khs+set}" "${khs-}" "${stats+set}" "${stats-}"
}

while IFS='|' builtin read -r -u 97 agent_nonce agent_verb agent_url agent_template agent_pass agent_algo agent_extra; do
    case $agent_verb in
        config)
            CUSTOM_URL=$agent_url CUSTOM_TEMPLATE=$agent_template CUSTOM_PASS=$agent_pass
            CUSTOM_ALGO=$agent_algo CUSTOM_USER_CONFIG=$agent_extra
            agent_config </dev/null
            agent_tell "$agent_options" "$agent_file" "" ""
            ;;
        stats)
            agent_stats </dev/null
            ;;
    esac
done
