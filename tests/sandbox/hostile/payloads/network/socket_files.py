# none: reached
import socket
from attack import attempt, done, facts

for path in (
    facts["socket"],
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
    "/tmp/.X11-unix/X0",
):
    attempt(path, socket.socket(socket.AF_UNIX).connect, path)
done()
