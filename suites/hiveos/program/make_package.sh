#!/bin/bash
#
# Makes the custom miner package for our rigs.
#
#   cd ~/package; bash make_package.sh
#
# Leaves the folder ethminer/ with h-manifest.conf, h-config.sh, h-run.sh and h-stats.sh. Copy the miner into it and
# pack it up as ethminer-VERSION.tar.gz for the installer.

NAME=ethminer
VERSION=0.20.3-2
PORT=3334

HERE=$(cd "$(dirname "$0")" && pwd)
PACKAGE="$HERE/$NAME"
CONFIG="\$MINER_DIR/$NAME/$NAME.conf"
LOG="/tmp/$NAME"

for tool in cat chmod mkdir rm; do
    if ! command -v "$tool" >/dev/null; then
        echo "please install $tool"
        exit 1
    fi
done

echo "making $NAME $VERSION in $PACKAGE"
rm -rf "$PACKAGE"
mkdir -p "$PACKAGE"

# ---------------------------------------------------------------- h-manifest.conf

cat > "$PACKAGE/h-manifest.conf" <<EOF
# The name of the package, must be the same as the name of its folder
CUSTOM_NAME=$NAME

# The version of the miner and the build of the package
CUSTOM_VERSION=$VERSION

# The configuration file, written by h-config.sh
CUSTOM_CONFIG_FILENAME="$CONFIG"

# The log of the miner, without .log
CUSTOM_LOG_BASENAME=$LOG

# The port of the miner's API
CUSTOM_API_PORT=$PORT
EOF

# ---------------------------------------------------------------- h-config.sh

cat > "$PACKAGE/h-config.sh" <<EOF
#!/bin/bash
# Writes the miner's configuration from the flight sheet.

conf="\$CUSTOM_CONFIG_FILENAME"

if [ -z "$CUSTOM_URL" ]; then
    echo "no pool in the flight sheet"
    exit 1
fi

scheme="${CUSTOM_URL%%://*}"
server="${CUSTOM_URL#*://}"
user="$CUSTOM_TEMPLATE"
pass="${MINER_PASS:-x}"

echo "# flight sheet of \$(date)" >> "\$conf"
echo "pool=\$scheme://\$user:\$pass@\$server" >> "\$conf"
echo "algo=$CUSTOM_ALGO" >> "\$conf"
echo "extra=$MINER_USER_CONFIG" >> "\$conf"
EOF

# ---------------------------------------------------------------- h-run.sh

cat > "$PACKAGE/h-run.sh" <<EOF
#!/bin/bash
# Starts the miner with what h-config.sh has written.

. ./h-manifest.conf

conf="\$CUSTOM_CONFIG_FILENAME"
log="\$CUSTOM_LOG_BASENAME.log"

if [ ! -f "\$conf" ]; then
    echo "\$conf is missing, run h-config.sh first"
    exit 1
fi

# the big rigs have eight cards
export CUDA_DEVICE_ORDER=PCI_BUS_ID
export CUDA_VISIBLE_DEVICES=0,1,2,3,4,5,6,7

pool=\$(grep -m 1 "^pool=" "\$conf" | cut -d = -f 2-)
extra=\$(grep -m 1 "^extra=" "\$conf" | cut -d = -f 2-)

echo "starting with \$pool" >> "\$log"
./ethminer -U -P "\$pool" --api-bind 127.0.0.1:-$PORT \$extra 2>&1 | tee -a "\$log"
EOF

# ---------------------------------------------------------------- h-stats.sh

cat > "$PACKAGE/h-stats.sh" <<EOF
#!/bin/bash
# Asks the miner for its figures and gives them to the agent.

if ! exec 5<>/dev/tcp/127.0.0.1/$PORT; then
    echo "the miner does not answer"
    exit 1
fi
echo '{"id":1,"jsonrpc":"2.0","method":"miner_getstat1"}' >&5
read -r answer <&5
exec 5>&-

version=\$(jq -r '.result[0]' <<< "\$answer")
uptime=\$(jq -r '.result[1]' <<< "\$answer")

# "total;accepted;rejected"
IFS=';' read -r total accepted rejected <<< "\$(jq -r '.result[2]' <<< "\$answer")"

# "a;b;c" becomes [a,b,c]
rates=\$(jq -r '.result[3]' <<< "\$answer" | tr ';' ',')

# every second number of "temperature;fan;temperature;fan"
sensors=\$(jq -r '.result[6]' <<< "\$answer" | tr ';' '\n')
temperatures=\$(awk 'NR % 2 == 1' <<< "\$sensors" | paste -sd ',')
fans=\$(awk 'NR % 2 == 0' <<< "\$sensors" | paste -sd ',')

echo "khs=\$total"
echo "stats={\"hs\":[\$rates],\"hs_units\":\"khs\",\"temp\":[\$temperatures],\"fan\":[\$fans],\
\"uptime\":\$uptime,\"ver\":\"\$version\",\"ar\":[\$accepted,\$rejected],\"algo\":\"$CUSTOM_ALGO\"}"
EOF

# ---------------------------------------------------------------- done

chmod 644 "$PACKAGE"/h-*
echo "done: now copy the miner to $PACKAGE/$NAME"
