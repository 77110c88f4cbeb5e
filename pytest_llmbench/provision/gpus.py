"""The NVIDIA GPUs that a server on this machine can use, as their driver (NVML) names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_llmbench.model.endpoint import Gpu

VISIBLE, ORDER = "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"
_BY_BUS = "PCI_BUS_ID"

_Device = tuple[str, Gpu]
"""UUID and what it is."""


def gpus_of(env: Mapping[str, str], nvml: Any = None) -> tuple[Gpu, ...] | None:
    """Return the GPUs that a process with these variables sees, in its order; None if it cannot be known.

    Args:
        env: of the server; `CUDA_VISIBLE_DEVICES` selects.
        nvml: the library `pynvml`, or what stands in for it in tests.
    """
    if nvml is None:
        import pynvml as nvml  # type: ignore[no-redef, import-untyped] # noqa: PLC0415 - a second of CPU on a slow disk
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None  # no driver
    try:
        driver = nvml.nvmlSystemGetDriverVersion()
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        devices = [(nvml.nvmlDeviceGetUUID(handle), _gpu(nvml, handle, driver)) for handle in handles]
        chosen = env.get(VISIBLE)
        if chosen is None:
            return tuple(gpu for _, gpu in devices)
        if "MIG-" in chosen:
            parts = [nvml.nvmlDeviceGetHandleByUUID(part.strip()) for part in chosen.split(",")]
            return tuple(_gpu(nvml, part, driver) for part in parts)
        return _chosen(chosen, devices, by_bus=env.get(ORDER) == _BY_BUS)
    except nvml.NVMLError:
        return None  # a GPU that fell off the bus, a part that is not there
    finally:
        nvml.nvmlShutdown()


def _gpu(nvml: Any, handle: Any, driver: str) -> Gpu:
    return Gpu(nvml.nvmlDeviceGetName(handle), int(nvml.nvmlDeviceGetMemoryInfo(handle).total), driver)


def _chosen(names: str, devices: Sequence[_Device], *, by_bus: bool) -> tuple[Gpu, ...] | None:
    """Return what CUDA makes of its variable: numbers and UUIDs, or their beginnings, up to the first that names none."""
    found = []
    for name in map(str.strip, names.split(",")):
        numbered = devices[int(name) : int(name) + 1] if name.isdecimal() else ()
        alike = [device for device in devices if name.startswith("GPU-") and device[0].startswith(name)]
        if len(named := [*numbered, *alike]) != 1:
            break
        if numbered and not by_bus and len({gpu for _, gpu in devices}) > 1:
            return None  # CUDA numbers the fastest first, by its own measure, NVML by the bus
        found.append(named[0][1])
    return tuple(found)
